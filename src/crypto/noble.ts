/**
 * The crypto of weft in JavaScript alone: @noble/hashes and @noble/ed25519. Needs no more than a `Buffer`, which a
 * browser build can bring along.
 *
 * Slower than node:crypto (SHA-256 0.22 GB/s, Ed25519 sign 0.3 ms, verify 1.6 ms), and readable from top to bottom.
 * Nothing in weft loads it at start: see `default.ts`.
 * @module
 */
import { getPublicKey, hashes, Point, sign as signWith } from '@noble/ed25519'
import { sha256 as digest, sha512 } from '@noble/hashes/sha2.js'
import { assertBytes, concatBytes, equalBytes, toHex, toLatin1 } from '../base/bytes.js'
import type { Crypto, DigestString, Sha256 } from './crypto.js'
import { assertSignArguments, assertVerifyArguments, generateSeed, keepsByteRules, SEED_BYTES } from './ed25519.js'

// noble's synchronous functions hash with whatever is set here.
hashes.sha512 = sha512

/** Order of the base point: L of RFC 8032, section 5.1. */
const L = Point.CURVE().n

function sha256(bytes: Uint8Array): Uint8Array {
  assertBytes(bytes, 'bytes')
  return digest(bytes)
}

function sha256Hex(bytes: Uint8Array): string {
  return toHex(sha256(bytes))
}

function sha256Binary(bytes: Uint8Array): DigestString {
  return toLatin1(sha256(bytes))
}

function createSha256(): Sha256 {
  return digest.create()
}

function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}

function publicKey(seed: Uint8Array): Uint8Array {
  assertBytes(seed, 'seed', SEED_BYTES)
  return getPublicKey(seed)
}

function sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  assertSignArguments(seed, message)
  return signWith(message, seed)
}

/** RFC 8032, section 5.1.7, with the equation that has no cofactor: R' = [S]B - [k]A must encode to the bytes of R. */
function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  assertVerifyArguments(key, message, signature)
  if (!keepsByteRules(key, signature)) return false
  const r = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  const a = decodePoint(key)
  if (s >= L || a === undefined) return false
  const k = littleEndian(sha512(concatBytes(r, key, message))) % L
  // Nothing here is secret, so the faster multiplication, which leaks its scalar through time, will do.
  const ownR = Point.BASE.multiply(s, false).subtract(a.multiply(k, false))
  return equalBytes(ownR.toBytes(), r)
}

async function verifyAsync(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return verify(key, message, signature)
}

/** The point that 32 bytes encode; `undefined` where no point of the curve has that y. */
function decodePoint(bytes: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(bytes)
  } catch (error) {
    // The length was checked before, so all that noble can find wrong is the point: it then throws a plain Error.
    if (error instanceof Error) return undefined
    throw error
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`)
}

/** noble as weft's crypto. */
export const nobleCrypto: Crypto = {
  name: 'noble',
  sha256,
  sha256Hex,
  sha256Binary,
  createSha256,
  randomBytes,
  ed25519: { generateSeed, publicKey, sign, verify, verifyAsync },
}
