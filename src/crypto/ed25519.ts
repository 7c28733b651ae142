/**
 * Ed25519: sizes, and the rules that decide which signatures count.
 *
 * RFC 8032 leaves room: verifiers in use disagree on odd keys and signatures ("Taming the many EdDSAs", Chalkias,
 * Garillot, Nikolaenko, 2020). Two replicas must never disagree on what is signed, so weft has one set of rules, which
 * is that of libsodium and of dalek's `verify_strict`:
 *
 * 1. The scalar S is under the group order L, as RFC 8032 section 5.1.7 demands; else one signature yields another.
 * 2. The public key A is encoded canonically (y < p, and no negative zero), as section 5.1.3 demands.
 * 3. R is encoded canonically: the verifier computes R itself and compares the bytes.
 * 4. Neither A nor R has small order. With such an A one signature fits many messages; no honest signer makes either.
 * 5. The equation is the one without the cofactor, [S]B = R + [k]A, which section 5.1.7 allows.
 *
 * OpenSSL has 1, 3 and 5 and accepts what 2 and 4 refuse. noble's `verify` with `zip215: false` has 1, 2, 3 and half of
 * 4, but multiplies the equation by the cofactor, so it accepts signatures that 5 refuses. Hence 2 and 4 are checked
 * here for both, and `noble.ts` computes the equation of 5 itself.
 * @module
 */
import { assertBytes, fromHex, toLatin1 } from '../base/bytes.js'
import type { RandomBytes } from './crypto.js'

/** Bytes of a secret seed. */
export const SEED_BYTES = 32
/** Bytes of a public key. */
export const PUBLIC_KEY_BYTES = 32
/** Bytes of a signature: the point R, then the scalar S, little-endian. */
export const SIGNATURE_BYTES = 64

/**
 * The y-coordinates, little-endian, of the eight points whose order divides 8: y = 0 (order 4, two points), 1 (the
 * neutral point), p - 1 (order 2), and the two of order 8 (two points each). The sign bit is left out.
 */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set(
  [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  ].map((hex) => toLatin1(fromHex(hex) as Uint8Array)),
)

/**
 * A new secret seed from `random`.
 *
 * @throws {TypeError | RangeError} When `random` does not give 32 bytes.
 */
export function generateSeed(random: RandomBytes): Uint8Array {
  const seed = random(SEED_BYTES)
  assertBytes(seed, 'random(32)', SEED_BYTES)
  return seed
}

/** Refuses arguments of `sign` that are not bytes or not the right number of them. */
export function assertSignArguments(seed: Uint8Array, message: Uint8Array): void {
  assertBytes(seed, 'seed', SEED_BYTES)
  assertBytes(message, 'message')
}

/** Refuses arguments of `verify` that are not bytes or not the right number of them. */
export function assertVerifyArguments(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): void {
  assertBytes(publicKey, 'publicKey', PUBLIC_KEY_BYTES)
  assertBytes(message, 'message')
  assertBytes(signature, 'signature', SIGNATURE_BYTES)
}

/** Whether a key and a signature keep rules 2 and 4, which can be told from their bytes alone. */
export function keepsByteRules(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return isCanonicalY(publicKey) && !isSmallOrder(publicKey) && !isSmallOrder(signature.subarray(0, 32))
}

/** Whether the y of an encoded point is under p = 2^255 - 19, which is ed ff .. ff 7f. */
function isCanonicalY(point: Uint8Array): boolean {
  if (((point[31] as number) & 0x7f) !== 0x7f || (point[0] as number) < 0xed) return true
  return !point.subarray(1, 31).every((byte) => byte === 0xff)
}

/** Whether an encoded point has small order, with either sign: negative zero, which is no point at all, counts too. */
function isSmallOrder(point: Uint8Array): boolean {
  const y = Uint8Array.from(point)
  y[31] = (y[31] as number) & 0x7f
  return SMALL_ORDER_Y.has(toLatin1(y))
}
