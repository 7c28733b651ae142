/**
 * Fetching some versions whole, whatever is here already: for repair. What comes is not looked at here.
 * @module
 */

import { equalBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { genesisKey } from '../history/keys.js'
import { Tips } from '../history/published.js'
import type { Entry } from '../lseq/batch.js'
import type { Lseq } from '../lseq/lseq.js'
import { decodePage, openPage } from '../lseq/page.js'
import { readHello } from './ask.js'
import type { Call, Peer } from './exchange.js'
import { badFrame, type Frame, FrameReader, writeFrame } from './frames.js'
import { BATCH_BYTES, type Intake } from './intake.js'
import {
  decodeDone,
  decodeError,
  decodeStored,
  encodeDone,
  encodeHello,
  FRAME,
  type Hello,
  PROTOCOL,
} from './messages.js'

/** Versions asked for in one exchange. */
const WANTED_AT_ONCE = 1 << 14

/**
 * Entries of those of the wanted versions that the peer offers, in no order.
 *
 * @throws {CodedError} `SYNC_*`, `REPO_OTHER`; what the carrier throws.
 */
export async function fetchVersions(peer: Peer, repository: Uint8Array, wanted: readonly Lseq[]): Promise<Entry[]> {
  const found: Entry[] = []
  for (let at = 0; at < wanted.length; at += WANTED_AT_ONCE) {
    const some = wanted.slice(at, at + WANTED_AT_ONCE)
    found.push(...(await fetchSome(peer, { ...ASKING, repository, goal: 'fetch', wanted: some })))
  }
  return found
}

const ASKING: Hello = {
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

async function fetchSome(peer: Peer, hello: Hello): Promise<Entry[]> {
  const found: Entry[] = []
  let bytes = 0
  await asked(peer, hello, (type, body) => {
    if (type !== FRAME.page) return
    const page = openPage(body)
    bytes += page.bodyBytes
    if (bytes > BATCH_BYTES) throw badFrame(`more than ${BATCH_BYTES} bytes come at once`)
    found.push(...page.unpack())
  })
  return found
}

/**
 * Takes in what the peer offers beyond `tips`, whatever is said to be here otherwise: for a store that has lost some of it.
 *
 * @returns How many versions were let in.
 * @throws {CodedError} As `fetchVersions`.
 */
export async function fetchBeyond(peer: Peer, repository: Uint8Array, tips: Tips, intake: Intake): Promise<number> {
  await asked(peer, { ...ASKING, repository, goal: 'sync', tips }, async (type, body) => {
    if (type === FRAME.page) intake.page(body)
    else await intake.batch()
  })
  return intake.accepted.length
}

/** One exchange in which nothing is sent; `take` is given each page, and each end of a batch. */
async function asked(
  peer: Peer,
  hello: Hello,
  take: (type: Frame['type'], body: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const call = await peer.call()
  const reader = new FrameReader(call.read)
  try {
    await say(call, hello)
    await readHello(reader, hello.repository)
    for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
      const { type, body } = frame
      if (type === FRAME.page || type === FRAME.batch) await take(type, body)
      else if (type === FRAME.done) return void decodeDone(body)
      else if (type === FRAME.error) throw decodeError(body)
      else throw badFrame(`a frame ${type} has no place here`)
    }
    throw gone()
  } finally {
    call.close()
  }
}

/** What a peer says of the repository that it has. */
export interface PeerRepository {
  readonly id: Uint8Array
  /** Value of the repository's own genesis; undefined where it was not found. */
  readonly genesis: Uint8Array | undefined
}

/**
 * Which repository a peer has, for who does not know any more which one this is: what a clone would begin with, up to where the
 * geneses are.
 *
 * @throws {CodedError} As `fetchVersions`.
 */
export async function fetchRepository(peer: Peer): Promise<PeerRepository> {
  const first = await beginning(peer, { ...ASKING, goal: 'clone' })
  if (first.genesis !== undefined) return first
  // What stands before the geneses may be most of the repository: a clone that goes on there leaves it out.
  return beginning(peer, { ...ASKING, goal: 'clone', repository: first.id, tips: first.tips, after: BEFORE_GENESES })
}

const KIND = 'K'.charCodeAt(0)
const BEFORE_GENESES = Uint8Array.of(KIND)

async function beginning(peer: Peer, hello: Hello): Promise<PeerRepository & { readonly tips: Tips }> {
  const call = await peer.call()
  const reader = new FrameReader(call.read)
  try {
    await say(call, hello)
    const { repository: id, tips } = await readHello(reader, hello.repository)
    if (id === undefined) throw badFrame('it does not say which repository it has')
    for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
      if (frame.type === FRAME.error) throw decodeError(frame.body)
      if (frame.type === FRAME.done) return { id, tips, genesis: undefined }
      if (reader.bytes > BATCH_BYTES) throw badFrame(`more than ${BATCH_BYTES} bytes come at once`)
      if (frame.type !== FRAME.page && frame.type !== FRAME.stored) continue
      const stored = frame.type === FRAME.stored ? decodeStored(frame.body) : undefined
      // Pages come in key order.
      if (stored !== undefined && (stored.key[0] as number) !== KIND) return { id, tips, genesis: undefined }
      const genesis = genesisIn(decodePage(stored?.page ?? frame.body))
      if (genesis !== undefined) return { id, tips, genesis }
    }
    throw gone()
  } finally {
    call.close()
  }
}

function genesisIn(entries: Iterable<Entry>): Uint8Array | undefined {
  const wanted = genesisKey(0)
  for (const { key, value } of entries) if (equalBytes(key, wanted)) return Uint8Array.from(value)
  return undefined
}

async function say(call: Call, hello: Hello): Promise<void> {
  await writeFrame(call, FRAME.hello, encodeHello(hello))
  await writeFrame(call, FRAME.done, encodeDone({ tips: hello.tips, refused: [], waiting: 0 }))
  await call.end()
}

function gone(): CodedError {
  return new CodedError('SYNC_CUT', 'The other side went away before it was done.', { hint: 'Run it once more.' })
}
