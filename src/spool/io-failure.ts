import { errorText } from '../model/errors.ts'
import type { IoOperation } from './options.ts'

/** The disk has refused something; `cause` is the system's error. */
export class IoFailure extends Error {
  readonly operation: IoOperation

  constructor(operation: IoOperation, cause: unknown) {
    super(errorText(cause), { cause })
    this.operation = operation
  }
}

/** The result, or what was asked when it failed. */
export async function io<Result>(operation: IoOperation, result: Promise<Result>): Promise<Result> {
  try {
    return await result
  } catch (error) {
    throw new IoFailure(operation, error)
  }
}
