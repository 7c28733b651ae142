/**
 * What is wrong with a byte string: a value, so that validation can be total, and the error it becomes where one is thrown.
 *
 * Nothing in this file looks at bytes.
 * @module
 */
import { CodedError } from '../base/error.js'

/** The first rule that a byte string breaks, and where. */
export interface Fault {
  /** Of the first byte of what breaks the rule, from the start of the byte string that was checked. */
  readonly offset: number
  /** The rule broken, as half a sentence. */
  readonly rule: string
}

/**
 * The error of a fault: `BAD_RECORD`, with `offset` and `rule` in its data.
 *
 * @param where - What holds the bytes, to begin the message with.
 */
export function faultError({ offset, rule }: Fault, where?: string): CodedError {
  const record = where === undefined ? 'Bad record' : `${where}: bad record`
  return new CodedError('BAD_RECORD', `${record} at byte ${offset}: ${rule}.`, { data: { offset, rule } })
}

/** The error of a native value that a constructor cannot encode: `RDX_VALUE`. */
export function valueError(message: string): CodedError {
  return new CodedError('RDX_VALUE', message)
}
