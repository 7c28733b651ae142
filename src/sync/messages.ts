/**
 * What the frames of an exchange say. `README.md` draws them; this file writes and reads them.
 * @module
 */
import { decodeUtf8Lossy, encodeUtf8, toLatin1 } from '../base/bytes.js'
import { CODES, type Code, CodedError } from '../base/error.js'
import { decodeTips, encodeTips, Tips } from '../history/published.js'
import { LSEQ_BYTES, type Lseq, readLseq, writeLseq } from '../lseq/lseq.js'
import { type Letter, TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipPair, unzipUint, zipPair, zipUint } from '../rdx/zip.js'
import { plain, plainUtf8 } from './said.js'

/** Versions of the protocol that this code speaks. */
export const PROTOCOL = { least: 1, most: 1 } as const

/** Letters of frames. */
export const FRAME = {
  hello: 'H',
  page: 'P',
  stored: 'S',
  batch: 'B',
  done: 'D',
  error: 'E',
} as const satisfies Record<string, Letter>

/** What the asking side is after. */
export type Goal = 'sync' | 'send' | 'clone' | 'listen' | 'fetch'

const GOALS: Readonly<Record<Goal, string>> = { sync: 's', send: 'p', clone: 'c', listen: 'l', fetch: 'f' }

/** Who speaks, and what it has. */
export interface Hello {
  readonly protocol: { readonly least: number; readonly most: number }
  /** 32 bytes; undefined where one is to be cloned that is not known yet. */
  readonly repository: Uint8Array | undefined
  /** 16 bytes by which a replica knows itself again. */
  readonly replica: Uint8Array | undefined
  /** The branch on which its work tree stands: where a clone begins. */
  readonly branch: string | undefined
  /** What the side can do beyond the protocol's version: names that others may not know, which changes nothing then. */
  readonly capabilities: readonly string[]
  /** Undefined in an answer. */
  readonly goal: Goal | undefined
  readonly tips: Tips
  /** Of a clone that goes on: the last key that is there. Of a fetch: nothing. */
  readonly after: Uint8Array | undefined
  /** Versions that are to be sent whatever the tips cover. */
  readonly wanted: readonly Lseq[]
}

/** A hello that says nothing but what is spoken. */
export const BARE_HELLO: Hello = {
  protocol: PROTOCOL,
  repository: undefined,
  replica: undefined,
  branch: undefined,
  capabilities: [],
  goal: undefined,
  tips: new Tips(),
  after: undefined,
  wanted: [],
}

export function encodeHello(hello: Hello): Uint8Array {
  const { protocol, repository, replica, branch, capabilities, goal, tips, after, wanted } = hello
  const out = new TlvWriter(128 + tips.size * 12)
  out.record('V', zipPair(protocol.most, protocol.least))
  if (repository !== undefined) out.record('I', repository)
  if (replica !== undefined) out.record('R', replica)
  if (branch !== undefined) out.record('B', encodeUtf8(branch))
  for (const name of capabilities) out.latin1('C', name)
  if (goal !== undefined) out.latin1('G', GOALS[goal])
  out.record('T', encodeTips(tips))
  if (after !== undefined) out.record('A', after)
  if (wanted.length > 0) out.record('W', encodeLseqs(wanted))
  return out.copy()
}

/**
 * @throws {CodedError} `PROTOCOL_OTHER` where the two sides have no version in common, whatever else is said; `BAD_RECORD`.
 */
export function decodeHello(body: Uint8Array): Hello {
  const reader = new TlvReader(body)
  const { big: most, lil: least } = unzipPair(reader.expect('V'))
  assertProtocol({ least, most })
  const repository = sized(reader.optional('I'), 32)
  const replica = sized(reader.optional('R'), 16)
  const branch = reader.optional('B')
  const capabilities: string[] = []
  for (let c = reader.optional('C'); c !== undefined; c = reader.optional('C')) capabilities.push(toLatin1(c))
  const letter = reader.optional('G')
  const goal = letter === undefined ? undefined : goalOf(toLatin1(letter))
  const tips = decodeTips(reader.expect('T'))
  const after = reader.optional('A')
  const wanted = reader.optional('W')
  reader.end()
  return {
    protocol: { least, most },
    repository,
    replica,
    branch: branch && decodeUtf8Lossy(branch),
    capabilities,
    goal,
    tips,
    after: after && Uint8Array.from(after),
    wanted: wanted === undefined ? [] : decodeLseqs(wanted),
  }
}

function assertProtocol({ least, most }: Hello['protocol']): void {
  if (least <= PROTOCOL.most && most >= PROTOCOL.least && least <= most) return
  const isNewer = least > PROTOCOL.most
  const theirs = least === most ? `version ${most}` : `versions ${least} to ${most}`
  throw new CodedError(
    'PROTOCOL_OTHER',
    `The other side speaks ${theirs} of the sync protocol; this weft speaks ${PROTOCOL.most}.`,
    { hint: isNewer ? 'Install a newer weft here.' : 'A newer weft has to be installed there.' },
  )
}

function goalOf(letter: string): Goal {
  const found = Object.entries(GOALS).find(([, known]) => known === letter)
  if (found === undefined) throw malformed(`it wants something unknown, ${JSON.stringify(letter)}`)
  return found[0] as Goal
}

/** A version that was not taken, and why. */
export interface Refusal extends Lseq {
  readonly code: string
  readonly reason: string
}

/** What became of what was sent. */
export interface Done {
  /** What the side has now. */
  readonly tips: Tips
  readonly refused: readonly Refusal[]
  /** Versions that are kept aside until what they stand on has come. */
  readonly waiting: number
}

/** Refusals beyond so many are not told: who wants to know them asks again when the first are mended. */
const REFUSALS = 100

export function encodeDone({ tips, refused, waiting }: Done): Uint8Array {
  const out = new TlvWriter(64 + tips.size * 12).record('T', encodeTips(tips)).record('W', zipUint(waiting))
  for (const { seq, stream, code, reason } of refused.slice(0, REFUSALS)) {
    out
      .begin('X')
      .record('L', encodeLseqs([{ seq, stream }]))
      .latin1('C', code)
      .record('R', encodeUtf8(reason))
      .end()
  }
  return out.copy()
}

/** @throws {CodedError} `BAD_RECORD`. */
export function decodeDone(body: Uint8Array): Done {
  const reader = new TlvReader(body)
  const tips = decodeTips(reader.expect('T'))
  const waiting = unzipUint(reader.expect('W'))
  const refused: Refusal[] = []
  while (!reader.atEnd) {
    if (refused.length >= REFUSALS) throw malformed('it lists too many refusals')
    const inner = reader.enter('X')
    const [lseq] = decodeLseqs(inner.expect('L'))
    const code = plain(toLatin1(inner.expect('C')))
    const reason = plainUtf8(inner.expect('R'))
    inner.end()
    if (lseq === undefined) throw malformed('a refusal names no version')
    refused.push({ ...lseq, code, reason })
  }
  return { tips, refused, waiting }
}

/** A stored page with the key that it has in the store. */
export interface StoredPageFrame {
  readonly key: Uint8Array
  readonly page: Uint8Array
}

export function encodeStored({ key, page }: StoredPageFrame): Uint8Array {
  return new TlvWriter(key.length + page.length + 10).record('K', key).record('P', page).view()
}

/** @throws {CodedError} `BAD_RECORD`. */
export function decodeStored(body: Uint8Array): StoredPageFrame {
  const reader = new TlvReader(body)
  const key = reader.expect('K')
  const page = reader.expect('P')
  reader.end()
  return { key, page }
}

/** The words in which a side says that it cannot go on. */
export function encodeError({ code, message, hint }: CodedError): Uint8Array {
  const out = new TlvWriter(256).latin1('C', code).record('M', encodeUtf8(message))
  if (hint !== undefined) out.record('H', encodeUtf8(hint))
  return out.copy()
}

/** The error that the other side told of. A code that is not known here is `SYNC_PEER`. */
export function decodeError(body: Uint8Array): CodedError {
  const reader = new TlvReader(body)
  const code = plain(toLatin1(reader.expect('C')))
  const message = plainUtf8(reader.expect('M'))
  const hint = reader.optional('H')
  reader.end()
  const known = Object.hasOwn(CODES, code) ? (code as Code) : 'SYNC_PEER'
  return new CodedError(known, `The other side says: ${message}`, {
    hint: hint === undefined ? undefined : plainUtf8(hint),
    data: { code },
  })
}

export function encodeLseqs(lseqs: readonly Lseq[]): Uint8Array {
  const out = new Uint8Array(lseqs.length * LSEQ_BYTES)
  let at = 0
  for (const { seq, stream } of lseqs) at = writeLseq(out, at, seq, stream)
  return out
}

function decodeLseqs(bytes: Uint8Array): Lseq[] {
  if (bytes.length % LSEQ_BYTES !== 0) throw malformed('a list of lseqs is cut off')
  const lseqs: Lseq[] = []
  for (let at = 0; at < bytes.length; at += LSEQ_BYTES) lseqs.push(readLseq(bytes, at))
  return lseqs
}

function sized(bytes: Uint8Array | undefined, length: number): Uint8Array | undefined {
  if (bytes === undefined || bytes.length === length) return bytes && Uint8Array.from(bytes)
  throw malformed(`an id has ${bytes.length} bytes instead of ${length}`)
}

function malformed(rule: string): CodedError {
  return new CodedError('BAD_RECORD', `A message of the sync protocol is malformed: ${rule}.`)
}
