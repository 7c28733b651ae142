/**
 * Whose versions are taken in: what is thought of each key (signers.ts) and the setting `sync.signers`, as one question.
 *
 *     sync.signers     trusted     seen, or never met     revoked
 *     any              in          in                     up to its vector
 *     trusted          in          refused                up to its vector
 *
 * One's own key is trusted, unless it was revoked: then it is the key that somebody else got hold of.
 * @module
 */
import { equalBytes, toHex } from '../base/bytes.js'
import type { Code } from '../base/error.js'
import { fingerprint } from '../history/signer.js'
import type { Lseq } from '../lseq/lseq.js'
import type { SignerRule } from './config.js'
import type { KnownSigner, Revocation } from './signers.js'

/** Why a version is not taken in. */
export interface SignerRefusal {
  readonly code: Extract<Code, 'SIGNER_REVOKED' | 'SIGNER_UNTRUSTED'>
  /** A sentence that names the key. */
  readonly reason: string
}

/**
 * Whether a version may come in.
 *
 * @param publicKey - Of the version's stream.
 * @param version - Its lseq: the last seq that it took.
 * @returns Undefined where it may.
 */
export type SignerPolicy = (publicKey: Uint8Array, version: Lseq) => SignerRefusal | undefined

/** What a policy is made of. */
export interface PolicyOptions {
  readonly signers: readonly KnownSigner[]
  readonly rule: SignerRule
  /** One's own public key; undefined where there is none. */
  readonly own: Uint8Array | undefined
}

export function signerPolicy({ signers, rule, own }: PolicyOptions): SignerPolicy {
  const known = new Map(signers.map((signer) => [signer.publicKey, signer]))
  const limits = new Map<string, ReadonlyMap<number, number>>()
  for (const { publicKey, revoked } of signers) if (revoked !== undefined) limits.set(publicKey, limitsOf(revoked))
  return (publicKey, { seq, stream }) => {
    const key = toHex(publicKey)
    const signer = known.get(key)
    const limit = limits.get(key)
    if (limit !== undefined) {
      if (seq <= (limit.get(stream) ?? 0)) return undefined
      return { code: 'SIGNER_REVOKED', reason: `The key ${called(publicKey, signer)} was revoked before that.` }
    }
    if (rule === 'any' || signer?.state === 'trusted') return undefined
    if (own !== undefined && equalBytes(own, publicKey)) return undefined
    return { code: 'SIGNER_UNTRUSTED', reason: `The key ${called(publicKey, signer)} is not trusted here.` }
  }
}

function limitsOf({ until }: Revocation): ReadonlyMap<number, number> {
  return new Map(until.map(({ stream, seq }) => [stream, seq]))
}

/** A key for people: its fingerprint, and the name that it has here. */
function called(publicKey: Uint8Array, signer: KnownSigner | undefined): string {
  const print = fingerprint(publicKey)
  return signer?.name === undefined ? print : `${print} (${signer.name})`
}
