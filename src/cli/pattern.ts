/**
 * The pattern of a search, from what the user typed.
 * @module
 */
import { CodedError } from '../base/error.js'

/** How to read a pattern. */
export interface PatternOptions {
  /** The text is searched for as it is. */
  readonly fixed: boolean
  readonly ignoreCase: boolean
}

/**
 * Compiles a pattern.
 *
 * @throws {CodedError} `USAGE` if it is no regular expression.
 */
export function parsePattern(text: string, { fixed, ignoreCase }: PatternOptions): RegExp {
  try {
    return new RegExp(fixed ? text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : text, ignoreCase ? 'i' : '')
  } catch (cause) {
    throw new CodedError('USAGE', `The pattern ${text} is not a regular expression: ${(cause as Error).message}`, {
      hint: 'Use -F to search for plain text.',
      cause,
    })
  }
}
