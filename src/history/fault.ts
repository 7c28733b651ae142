/**
 * What is wrong with a version: a code for programs, a sentence for people.
 * @module
 */
import { type Code, CodedError } from '../base/error.js'

/** Why a version, or an entry, does not hold. */
export interface Fault {
  readonly code: Code
  /** A sentence about "it", the version. */
  readonly reason: string
  /** Full key of the entry that shows it. */
  readonly key?: Uint8Array | undefined
}

/** Runs `work`; an expected failure becomes a fault. */
export function faultIn(work: () => void, key?: Uint8Array): Fault | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { code: error.code, reason: error.message, key }
  }
}
