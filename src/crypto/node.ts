/**
 * The crypto of weft on node:crypto, which is OpenSSL.
 *
 * Measured on Node 20: SHA-256 of 65 bytes 0.25 us as a string ('binary') and 1.1 us as a Buffer, so digests are always
 * asked for as strings; 1.9 GB/s for large inputs. Ed25519: sign 31 us, verify 90 us; 12,000 verifies take 1.15 s one
 * after another and 0.66 s through `verifyAsync` on two cores. Making a KeyObject takes 30 us and more, so the last few
 * are kept.
 * @module
 */
import { Buffer } from 'node:buffer'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  randomBytes,
  sign as signWith,
  verify as verifyWith,
} from 'node:crypto'
import { assertBytes, equalBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import type { Crypto, DigestString, Sha256 } from './crypto.js'
import {
  assertSignArguments,
  assertVerifyArguments,
  generateSeed,
  keepsByteRules,
  PUBLIC_KEY_BYTES,
  SEED_BYTES,
} from './ed25519.js'

function sha256(bytes: Uint8Array): Uint8Array {
  return fromLatin1(sha256Binary(bytes))
}

function sha256Hex(bytes: Uint8Array): string {
  assertBytes(bytes, 'bytes')
  return hash('sha256', bytes, 'hex')
}

function sha256Binary(bytes: Uint8Array): DigestString {
  assertBytes(bytes, 'bytes')
  return hash('sha256', bytes, 'binary')
}

function createSha256(): Sha256 {
  return createHash('sha256')
}

/**
 * DER around a raw key, up to the key itself: RFC 8410, with the algorithm id-Ed25519, 1.3.101.112 = 06 03 2b 65 70.
 *
 *     private, section 7   SEQUENCE { INTEGER 0, SEQUENCE { id-Ed25519 }, OCTET STRING { OCTET STRING (32) } }
 *     public, section 4    SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING (32, no unused bits) }
 */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** Most public keys kept as KeyObjects; histories rarely have more signers. */
const PUBLIC_KEYS_KEPT = 64
/** KeyObjects by raw public key, the one used last at the end. */
const publicKeys = new Map<string, KeyObject>()
/** The secret key used last, with its seed: whoever signs signs often. */
let lastSecret: { readonly seed: Uint8Array; readonly key: KeyObject } | undefined

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const name = toLatin1(publicKey)
  let key = publicKeys.get(name)
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
    for (const oldest of publicKeys.keys()) {
      if (publicKeys.size < PUBLIC_KEYS_KEPT) break
      publicKeys.delete(oldest)
    }
  } else {
    publicKeys.delete(name)
  }
  publicKeys.set(name, key)
  return key
}

function secretKeyObject(seed: Uint8Array): KeyObject {
  if (lastSecret === undefined || !equalBytes(lastSecret.seed, seed)) {
    const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
    lastSecret = { seed: Uint8Array.from(seed), key }
  }
  return lastSecret.key
}

function publicKey(seed: Uint8Array): Uint8Array {
  assertBytes(seed, 'seed', SEED_BYTES)
  const der = createPublicKey(secretKeyObject(seed)).export({ format: 'der', type: 'spki' })
  return Uint8Array.from(der.subarray(der.length - PUBLIC_KEY_BYTES))
}

function sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  assertSignArguments(seed, message)
  return signWith(null, message, secretKeyObject(seed))
}

function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  assertVerifyArguments(key, message, signature)
  return keepsByteRules(key, signature) && verifyWith(null, message, publicKeyObject(key), signature)
}

/** Runs in libuv's thread pool: 4 threads unless UV_THREADPOOL_SIZE says otherwise. Bytes are copied at the call. */
async function verifyAsync(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  assertVerifyArguments(key, message, signature)
  if (!keepsByteRules(key, signature)) return false
  return new Promise((resolve, reject) => {
    verifyWith(null, message, publicKeyObject(key), signature, (error, valid) => {
      if (error === null) resolve(valid)
      else reject(error)
    })
  })
}

/** node:crypto as weft's crypto. */
export const nodeCrypto: Crypto = {
  name: 'node',
  sha256,
  sha256Hex,
  sha256Binary,
  createSha256,
  randomBytes,
  ed25519: { generateSeed, publicKey, sign, verify, verifyAsync },
}
