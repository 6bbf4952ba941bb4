import { BlockList, isIP } from 'node:net'

/** Networks that no public service answers in. */
const PRIVATE: readonly (readonly [network: string, bits: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['::', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
]

const blocked = new BlockList()
for (const [network, bits, family] of PRIVATE) blocked.addSubnet(network, bits, family)

/**
 * Is `hostname`, as `URL` writes it, an address of a private or link-local network? A name is none, whatever it resolves
 * to; this machine itself (127.0.0.0/8, ::1) is another matter.
 */
export function isPrivateAddress(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  const version = isIP(address)
  // Addresses of IPv4 within IPv6 (`::ffff:10.0.0.1`) are looked at as such.
  return version !== 0 && blocked.check(address, version === 4 ? 'ipv4' : 'ipv6')
}
