/**
 * What the other side says in words, fit to be shown: an error's message is printed as it is, and a terminal would do what the
 * control characters in it say.
 * @module
 */
import { decodeUtf8Lossy } from '../base/bytes.js'

/** Characters of a text that are shown. */
const LIMIT = 1000

/** Control characters, line separators, and what turns the direction of text round. */
const UNFIT = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu

/** A text of somebody else's as one line. */
export function plain(text: string): string {
  const line = text.slice(0, LIMIT).replace(UNFIT, ' ')
  return text.length > LIMIT ? `${line}…` : line
}

/** Likewise, of bytes. */
export function plainUtf8(bytes: Uint8Array): string {
  // No character takes more than four bytes.
  return plain(decodeUtf8Lossy(bytes.subarray(0, LIMIT * 4 + 4)))
}
