/**
 * Refs: branches, tags and snapshots, as entries.
 *
 * They are read over the whole store, not at a version. Every change of a name is an entry that lists the entries it
 * replaces, so a name is a multi-value register: what nobody replaced counts, and two replicas that moved one branch at
 * the same time leave it with two heads until a merge names both. ToyTLV:
 *
 *     r  lseq of an entry of this name that this one replaces. Repeated, ascending
 *     v  version: lseq (8), id (32)             branch, tag of a version
 *     m  message, bytes                                                 tag made here that says something
 *     g  raw git tag object. Repeated, from the name inward             annotated git tag
 *     o  type of a git object, 00, its content                          git tag of a tree or blob
 *     w  lseqs (8 each), sorted by stream                               snapshot: the version vector
 *
 * With nothing but `r`, the name is deleted.
 * @module
 */
import { concatBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, encodeLseq, formatLseq, LSEQ_BYTES, type Lseq, lseqOfKey, readLseq } from '../lseq/lseq.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'
import { decodeVector, encodeVector } from './derived.js'
import { decodeRef, encodeRef, type VersionRef } from './header.js'
import { prefixRange, REF_KINDS, type RefKind } from './keys.js'

/** What a ref entry says. */
export interface RefValue {
  readonly replaces: readonly Lseq[]
  readonly version?: VersionRef | undefined
  readonly message?: Uint8Array | undefined
  readonly gitTags?: readonly Uint8Array[] | undefined
  readonly gitObject?: { readonly type: string; readonly content: Uint8Array } | undefined
  readonly vector?: readonly Lseq[] | undefined
}

/** A name with one of its values. */
export interface Ref extends Lseq {
  readonly kind: RefKind
  /** Binary string. */
  readonly name: string
  readonly value: RefValue
}

export function encodeRefValue(value: RefValue): Uint8Array {
  const out = new TlvWriter(64)
  for (const { seq, stream } of [...value.replaces].sort(compareLseq)) out.record('R', encodeLseq(seq, stream))
  if (value.version !== undefined) out.record('V', encodeRef(value.version))
  if (value.message !== undefined) out.record('M', value.message)
  for (const tag of value.gitTags ?? []) out.record('G', tag)
  if (value.gitObject !== undefined) {
    out.record('O', concatBytes(fromLatin1(`${value.gitObject.type}\0`), value.gitObject.content))
  }
  if (value.vector !== undefined) out.record('W', encodeVector(value.vector))
  return out.copy()
}

/** @throws {CodedError} `BAD_RECORD` for bytes that `encodeRefValue` does not write. */
export function decodeRefValue(bytes: Uint8Array): RefValue {
  const reader = new TlvReader(bytes)
  const replaces: Lseq[] = []
  for (let r = reader.optional('R'); r !== undefined; r = reader.optional('R')) {
    const lseq = lseqIn(r)
    const last = replaces.at(-1)
    if (last !== undefined && compareLseq(last, lseq) >= 0) {
      throw new CodedError('BAD_RECORD', 'A ref names what it replaces twice or out of order.')
    }
    replaces.push(lseq)
  }
  const version = reader.optional('V')
  const message = reader.optional('M')
  const gitTags: Uint8Array[] = []
  for (let g = reader.optional('G'); g !== undefined; g = reader.optional('G')) gitTags.push(g)
  const object = reader.optional('O')
  const vector = reader.optional('W')
  reader.end()
  const nul = object?.indexOf(0) ?? 0
  if (nul < 0) throw new CodedError('BAD_RECORD', 'A ref holds a git object without a type.')
  return {
    replaces,
    version: version && decodeRef(version),
    message,
    gitTags: gitTags.length > 0 ? gitTags : undefined,
    gitObject: object && { type: toLatin1(object, 0, nul), content: object.subarray(nul + 1) },
    vector: vector && decodeVector(vector),
  }
}

function lseqIn(bytes: Uint8Array): Lseq {
  if (bytes.length !== LSEQ_BYTES) throw new CodedError('BAD_RECORD', 'A ref replaces something that is not an lseq.')
  return readLseq(bytes)
}

/** Whether a value says that the name is no more. */
export function isDeletion(value: RefValue): boolean {
  const { version, gitTags, gitObject, vector } = value
  return version === undefined && gitTags === undefined && gitObject === undefined && vector === undefined
}

/**
 * The values of names that nobody has replaced, deletions included, in order of kind, name and lseq.
 *
 * @param kind - Only names of this kind.
 */
export async function readRefs(entries: EntryStore, kind?: RefKind): Promise<Ref[]> {
  const range = prefixRange(fromLatin1(kind === undefined ? 'R' : `R${kind}`))
  const refs: Ref[] = []
  const replaced = new Set<string>()
  for await (const batch of entries.scan(range)) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const letter = String.fromCharCode(key[1] as number)
      if (!(letter in REF_KINDS)) throw new CodedError('BAD_KEY', 'A ref is of no known kind.')
      const name = toLatin1(key, 2, key.length - LSEQ_BYTES - 1)
      const value = decodeRefValue(batch.value(i))
      for (const lseq of value.replaces) replaced.add(replacedName(letter + name, lseq))
      refs.push({ ...lseqOfKey(key), kind: letter as RefKind, name, value })
    }
  }
  return refs.filter((ref) => !replaced.has(replacedName(ref.kind + ref.name, ref)))
}

/**
 * What a replaced entry is known by: an entry replaces others of its own name only, whatever it says.
 *
 * @param name - With the letter of its kind in front.
 */
export function replacedName(name: string, { seq, stream }: Lseq): string {
  return `${formatLseq(seq, stream)} ${name}`
}
