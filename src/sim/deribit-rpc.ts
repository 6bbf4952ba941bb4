/** JSON-RPC 2.0 as Deribit speaks it, over WebSocket and HTTP. Source: https://docs.deribit.com/articles/json-rpc-overview */

import { encode, type Json, type JsonObject } from './deribit-json.ts'

export type Params = Readonly<Record<string, unknown>>

/** One method. Errors: throws an {@link RpcFailure}. */
export type Method = (params: Params) => Json

/** An answer that is an error. */
export class RpcFailure extends Error {
  readonly code: number
  readonly data: Json
  constructor(code: number, message: string, data: Json = null) {
    super(message)
    this.code = code
    this.data = data
  }
}

export const invalidParams = (param: string, reason: string): RpcFailure =>
  new RpcFailure(-32602, 'Invalid params', { reason, param })
export const invalidRequest = (reason: string): RpcFailure => new RpcFailure(-32600, 'Invalid Request', { reason })
export const methodNotFound = (): RpcFailure => new RpcFailure(-32601, 'Method not found')
export const tooManyRequests = (): RpcFailure => new RpcFailure(10028, 'too_many_requests')

/** Errors: throws for an absent or empty one. */
export function textParam(params: Params, name: string): string {
  const value = params[name]
  if (value === undefined) throw invalidParams(name, 'value required')
  if (typeof value !== 'string' || value === '') throw invalidParams(name, 'wrong format')
  return value
}

/** A whole number; HTTP sends it as digits. Errors: throws for anything else; `undefined` if absent. */
export function wholeParam(params: Params, name: string): number | undefined {
  const value = params[name]
  if (value === undefined) return undefined
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (!Number.isSafeInteger(number)) throw invalidParams(name, 'wrong format')
  return number as number
}

/** `fallback` if absent. Errors: throws for a word that is not allowed. */
export function wordParam(params: Params, name: string, allowed: readonly string[], fallback?: string): string {
  const value = params[name] ?? fallback
  if (value === undefined) throw invalidParams(name, 'value required')
  if (typeof value !== 'string' || !allowed.includes(value)) throw invalidParams(name, 'wrong format')
  return value
}

/** Runs a method; what it throws on purpose becomes the answer. */
export function outcome(run: () => Json): Json | RpcFailure {
  try {
    return run()
  } catch (error) {
    if (error instanceof RpcFailure) return error
    throw error
  }
}

/** The text of an answer. `id` is `undefined` over HTTP GET. Units: `usIn`, `usOut`, `usDiff` are microseconds. */
export function answerText(answer: Json | RpcFailure, id: Json | undefined, usIn: number, usOut: number): string {
  const body: JsonObject =
    answer instanceof RpcFailure
      ? { error: { code: answer.code, message: answer.message, data: answer.data } }
      : { result: answer }
  return encode({ jsonrpc: '2.0', id, ...body, usIn, usOut, usDiff: usOut - usIn, testnet: false })
}
