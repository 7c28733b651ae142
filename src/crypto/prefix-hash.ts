/**
 * SHA-256 of successive contents that begin alike.
 *
 * The versions of a file mostly share their beginning, and SHA-256 reads from front to back, so its state after every
 * 32 KiB is kept and taken up again behind the last one that still holds. Rebuilding redis's history hashes 1.8 GB, of
 * which this saves two fifths.
 * @module
 */
import { createHash, type Hash } from 'node:crypto'
import type { DigestString } from './crypto.js'
import { defaultCrypto } from './default.js'

const STEP = 32 * 1024

/** Hashes the contents of one file, one after the other. */
export class PrefixHash {
  /** State `i` has taken in the first `(i + 1) * STEP` bytes. */
  readonly #states: Hash[] = []

  /**
   * @param same - How many bytes at the beginning are those of the content before.
   */
  digest(content: Uint8Array, same: number): DigestString {
    this.#states.length = Math.min(this.#states.length, Math.floor(same / STEP))
    // A content that is less than two steps long is hashed faster in one call.
    if (content.length < 2 * STEP) {
      this.#states.length = 0
      return defaultCrypto.sha256Binary(content)
    }
    let state = this.#states.at(-1) ?? createHash('sha256')
    let at = this.#states.length * STEP
    for (; at + STEP <= content.length; at += STEP) {
      state = state.copy().update(content.subarray(at, at + STEP))
      this.#states.push(state)
    }
    return state.copy().update(content.subarray(at)).digest('binary')
  }
}
