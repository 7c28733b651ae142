/**
 * Who wrote here: the keys of all streams in the store, with what they signed and what is thought of them.
 * @module
 */
import { fromHex, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import { decodeGenesis, type StreamKind } from '../history/genesis.js'
import { kindRange } from '../history/keys.js'
import { decodeRefValue } from '../history/refs.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatStream, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { parseVector } from '../lseq/vector.js'
import type { RepositoryContext } from './context.js'
import { textOf } from './describe.js'
import type { SignerChange, SignerInfo } from './results.js'
import { badSignerName, formatUntil, type KnownSigner, metSigner, readSigners, writeSigners } from './signers.js'

/** A stream and how far it goes. */
interface OwnedStream {
  readonly stream: number
  readonly kind: StreamKind
  versions: number
  /** Last seq of its last version; 0 where it has none. */
  last: number
}

/** Streams by the public key that began them, hex; in order of the streams. */
async function streamsByKey(entries: EntryStore): Promise<Map<string, OwnedStream[]>> {
  const byKey = new Map<string, OwnedStream[]>()
  const byId = new Map<number, OwnedStream>()
  for await (const batch of entries.scan(kindRange('K'))) {
    for (let i = 0; i < batch.count; i++) {
      const { stream } = lseqOfKey(batch.key(i))
      if (stream === 0) continue
      const { publicKey, kind } = decodeGenesis(batch.value(i))
      const owned: OwnedStream = { stream, kind, versions: 0, last: 0 }
      getOrMake(byKey, toHex(publicKey), () => [] as OwnedStream[]).push(owned)
      byId.set(stream, owned)
    }
  }
  for await (const batch of entries.scan(kindRange('V'))) {
    for (let i = 0; i < batch.count; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      const owned = byId.get(stream)
      if (owned === undefined) continue
      owned.versions++
      owned.last = seq
    }
  }
  return byKey
}

/**
 * All keys that wrote here or are known, those that wrote last first.
 *
 * @param own - One's own public key; undefined where there is none.
 * @throws {CodedError} `SIGNERS_DAMAGED`.
 */
export async function listSigners(
  { entries, root, versions }: RepositoryContext,
  own: Uint8Array | undefined,
): Promise<SignerInfo[]> {
  const byKey = await streamsByKey(entries)
  const known = new Map(readSigners(root).map((signer) => [signer.publicKey, signer]))
  const listed: { info: SignerInfo; last: number }[] = []
  for (const publicKey of new Set([...byKey.keys(), ...known.keys()])) {
    const streams = byKey.get(publicKey) ?? []
    const signer = known.get(publicKey)
    const latest = latestOf(streams.filter(({ kind }) => kind === 'content'))
    const author = latest && (await versions.expect({ seq: latest.last, stream: latest.stream })).author
    const isOwn = own !== undefined && toHex(own) === publicKey
    const { fingerprint, name, state, seen, revoked } =
      signer ?? metSigner(fromHex(publicKey) as Uint8Array, new Date(0))
    listed.push({
      last: latestOf(streams)?.last ?? 0,
      info: {
        fingerprint,
        publicKey,
        ...(name === undefined ? {} : { name }),
        ...(author === undefined ? {} : { author: { name: textOf(author.name), email: textOf(author.email) } }),
        state: isOwn && state === 'seen' ? 'trusted' : state,
        own: isOwn,
        ...(signer === undefined ? {} : { seen }),
        ...(revoked === undefined ? {} : { revoked: { time: revoked.time, until: formatUntil(revoked.until) } }),
        streams: streams.length,
        versions: streams.reduce((sum, { versions: count }) => sum + count, 0),
      },
    })
  }
  return listed.sort((a, b) => b.last - a.last).map(({ info }) => info)
}

function latestOf(streams: readonly OwnedStream[]): OwnedStream | undefined {
  const written = streams.filter(({ versions }) => versions > 0)
  return written.reduce<OwnedStream | undefined>((a, b) => (a !== undefined && a.last > b.last ? a : b), undefined)
}

/** Fewest digits by which a key can be named, as with ids of versions. */
const FEWEST_DIGITS = 4

/** All keys there are to choose from, those of the file first, and the one that a text names. */
async function find(
  { entries, root }: RepositoryContext,
  text: string,
): Promise<{ all: KnownSigner[]; found: KnownSigner }> {
  const all = readSigners(root)
  const keys = new Set(all.map(({ publicKey }) => publicKey))
  for await (const batch of entries.scan(kindRange('K'))) {
    for (let i = 0; i < batch.count; i++) {
      if (lseqOfKey(batch.key(i)).stream === 0) continue
      const signer = metSigner(decodeGenesis(batch.value(i)).publicKey, new Date())
      if (keys.has(signer.publicKey)) continue
      keys.add(signer.publicKey)
      all.push(signer)
    }
  }
  const digits = text.toLowerCase()
  const isHex = /^[0-9a-f]+$/.test(digits) && digits.length >= FEWEST_DIGITS
  const named = all.filter(({ name }) => name === text)
  const found =
    named.length > 0 || !isHex
      ? named
      : all.filter(({ fingerprint, publicKey }) => fingerprint.startsWith(digits) || publicKey === digits)
  // A key may be known before it has written anything here: by all of it.
  if (found.length === 0 && /^[0-9a-f]{64}$/.test(digits)) {
    const signer = metSigner(fromHex(digits) as Uint8Array, new Date())
    return { all: [...all, signer], found: signer }
  }
  const [only] = found
  if (only !== undefined && found.length === 1) return { all, found: only }
  const candidates = (found.length > 1 ? found : all).map(({ fingerprint, name }) =>
    name === undefined ? fingerprint : `${fingerprint} (${name})`,
  )
  if (found.length > 1) {
    throw new CodedError('SIGNER_AMBIGUOUS', `${found.length} keys begin with ${text}.`, {
      hint: `Write more of the fingerprint. They are: ${candidates.join(', ')}.`,
      data: { candidates },
    })
  }
  throw new CodedError('SIGNER_UNKNOWN', `There is no key ${JSON.stringify(text)} here.`, {
    hint: '`weft key list` shows the keys there are: name one by its fingerprint, the first digits of that, or the name it was given here.',
    data: { candidates },
  })
}

function change(root: string, all: readonly KnownSigner[], to: KnownSigner): void {
  // Keys that were only looked up stay unknown.
  const known = new Set(readSigners(root).map(({ publicKey }) => publicKey))
  const kept = all.filter(({ publicKey }) => known.has(publicKey) || publicKey === to.publicKey)
  writeSigners(
    root,
    kept.map((signer) => (signer.publicKey === to.publicKey ? to : signer)),
  )
}

/**
 * Trusts a key: with `sync.signers` set to `trusted`, what it signs is taken in from now on.
 *
 * @param text - Fingerprint, the beginning of it, whole public key, or name.
 * @param options - `again`: also where the key was revoked.
 * @throws {CodedError} `SIGNER_UNKNOWN`, `SIGNER_AMBIGUOUS`, `SIGNER_REVOKED`.
 */
export async function trustSigner(
  repo: RepositoryContext,
  text: string,
  options: { readonly again?: boolean } = {},
): Promise<SignerChange> {
  const { all, found } = await find(repo, text)
  const { revoked, ...rest } = found
  if (revoked !== undefined && options.again !== true) {
    throw new CodedError(
      'SIGNER_REVOKED',
      `The key ${found.fingerprint} was revoked on ${revoked.time.slice(0, 10)}.`,
      {
        hint: 'Where that was a mistake, add --again: all that it signed counts from then on.',
      },
    )
  }
  change(repo.root, all, { ...rest, state: 'trusted' })
  return changed('trusted', { ...rest, state: 'trusted' }, found.state)
}

/**
 * Gives a key a name, by which it can be called here from then on; nobody else learns of it.
 *
 * @throws {CodedError} `SIGNER_UNKNOWN`, `SIGNER_AMBIGUOUS`, `NAME_BAD`, `NAME_TAKEN`.
 */
export async function renameSigner(repo: RepositoryContext, text: string, name: string): Promise<SignerChange> {
  const { all, found } = await find(repo, text)
  const reason = badSignerName(name)
  if (reason !== undefined) {
    throw new CodedError('NAME_BAD', `${JSON.stringify(name)} cannot be the name of a key: ${reason}.`, {
      hint: 'Use a word or two, such as Ana or "Ana Ruiz".',
    })
  }
  const taken = all.find((other) => other.name === name && other.publicKey !== found.publicKey)
  if (taken !== undefined) {
    throw new CodedError('NAME_TAKEN', `The key ${taken.fingerprint} is called ${name} already.`, {
      hint: 'Choose another name, or give that key another one first.',
    })
  }
  change(repo.root, all, { ...found, name })
  return changed('renamed', { ...found, name }, found.state)
}

/**
 * Revokes a key: what it signed up to a state stays valid, what comes later does not.
 *
 * @param at - Names the state; by default all that is here now. Of names (branches, tags, snapshots) those count that
 *   name nothing beyond the state, unless a vector says how far the stream of names counts.
 * @throws {CodedError} `SIGNER_UNKNOWN`, `SIGNER_AMBIGUOUS`, `V_*`.
 */
export async function revokeSigner(repo: RepositoryContext, text: string, at?: string): Promise<SignerChange> {
  const { all, found } = await find(repo, text)
  const streams = (await streamsByKey(repo.entries)).get(found.publicKey) ?? []
  const until =
    at === undefined ? streams.map(({ stream, last }) => ({ stream, seq: last })) : await stateOf(repo, streams, at)
  const sorted = until.filter(({ seq }) => seq > 0).sort((a, b) => a.stream - b.stream)
  const revoked = { time: new Date().toISOString(), until: sorted }
  change(repo.root, all, { ...found, state: 'revoked', revoked })
  return changed('revoked', { ...found, state: 'revoked', revoked }, found.state)
}

/** How far a state covers the streams of one key. */
async function stateOf(repo: RepositoryContext, streams: readonly OwnedStream[], at: string): Promise<Lseq[]> {
  const pairs = parseVector(at)
  const said = new Map((pairs ?? []).map(({ stream, seq }) => [stream, seq]))
  const here: string[] = []
  for (const pair of pairs ?? []) {
    // Versions that have yet to come can be meant too.
    if ((await repo.versions.atOrBefore(pair)) !== undefined) here.push(`${formatStream(pair.stream)}:${pair.seq}`)
  }
  const covered = new Map<number, number>()
  if (pairs === undefined || here.length > 0) {
    const { vector } = await repo.resolve(pairs === undefined ? at : here.join(','))
    for (const [slot, seq] of vector.entries()) covered.set(repo.versions.streams.id(slot), seq)
  }
  const until: Lseq[] = []
  const foreign = await keysOfOthers(repo.entries, streams)
  for (const [stream, seq] of said) {
    if (!foreign.has(stream) && !streams.some((own) => own.stream === stream)) until.push({ stream, seq })
  }
  for (const { stream, kind } of streams) {
    const seq = Math.max(covered.get(stream) ?? 0, said.get(stream) ?? 0)
    if (kind === 'content' || said.has(stream)) until.push({ stream, seq })
    else until.push({ stream, seq: await namesUntil(repo.entries, stream, covered) })
  }
  return until
}

/** Streams here that are not among the given ones. */
async function keysOfOthers(entries: EntryStore, streams: readonly OwnedStream[]): Promise<Set<number>> {
  const others = new Set<number>()
  for await (const batch of entries.scan(kindRange('K'))) {
    for (let i = 0; i < batch.count; i++) others.add(lseqOfKey(batch.key(i)).stream)
  }
  for (const { stream } of streams) others.delete(stream)
  return others
}

/** Seq of the last version of a refs stream before the first that names something beyond a state; 0 for none. */
async function namesUntil(entries: EntryStore, refs: number, covered: ReadonlyMap<number, number>): Promise<number> {
  const isBeyond = ({ stream, seq }: Lseq): boolean => seq > (covered.get(stream) ?? 0)
  let first = Number.POSITIVE_INFINITY
  for await (const batch of entries.scan(kindRange('R'))) {
    for (let i = 0; i < batch.count; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      if (stream !== refs || seq >= first) continue
      const { version, vector = [] } = decodeRefValue(batch.value(i))
      if ((version !== undefined && isBeyond(version)) || vector.some(isBeyond)) first = seq
    }
  }
  let last = 0
  for await (const batch of entries.scan(kindRange('V'))) {
    for (let i = 0; i < batch.count; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      if (stream === refs && seq < first) last = seq
    }
  }
  return last
}

function changed(what: SignerChange['change'], signer: KnownSigner, before: KnownSigner['state']): SignerChange {
  const { fingerprint, publicKey, name, state, revoked } = signer
  return {
    change: what,
    fingerprint,
    publicKey,
    ...(name === undefined ? {} : { name }),
    state,
    before,
    ...(revoked === undefined ? {} : { until: formatUntil(revoked.until) }),
  }
}
