export { TcpProxy } from '../../src/check/prove/servers/tcp-proxy.ts'
