/**
 * Which crypto weft runs on: node:crypto. A build for elsewhere puts `nobleCrypto` in this place.
 *
 * noble is loaded only when asked for: importing it takes several milliseconds, which every command would pay.
 * @module
 */
import type { Crypto } from './crypto.js'
import { nodeCrypto } from './node.js'

/** The implementation that all of weft uses. */
export const defaultCrypto: Crypto = nodeCrypto

/** Loads the portable implementation. */
export async function loadNobleCrypto(): Promise<Crypto> {
  const { nobleCrypto } = await import('./noble.js')
  return nobleCrypto
}
