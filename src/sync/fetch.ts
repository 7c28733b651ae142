/**
 * Fetching some versions whole, whatever is here already: for repair. What comes is not looked at here.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { genesisKey } from '../history/keys.js'
import type { Tips } from '../history/published.js'
import type { Entry } from '../lseq/batch.js'
import type { Lseq } from '../lseq/lseq.js'
import { decodePage, openPage } from '../lseq/page.js'
import type { Peer } from './exchange.js'
import { badFrame, type Frame } from './frames.js'
import { Hearing, type Question } from './hearing.js'
import { BATCH_BYTES, type Intake } from './intake.js'
import { decodeStored, FRAME } from './messages.js'

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
    found.push(...(await fetchSome(peer, { goal: 'fetch', repository, wanted: some })))
  }
  return found
}

async function fetchSome(peer: Peer, question: Question): Promise<Entry[]> {
  const found: Entry[] = []
  let bytes = 0
  using hearing = await Hearing.begin(peer, question)
  for await (const { type, body } of versionFrames(hearing)) {
    if (type !== FRAME.page) continue
    const page = openPage(body)
    bytes += page.bodyBytes
    if (bytes > BATCH_BYTES) throw badFrame(`more than ${BATCH_BYTES} bytes come at once`)
    found.push(...page.unpack())
  }
  return found
}

/**
 * Takes in what the peer offers beyond `tips`, whatever is said to be here otherwise: for a store that has lost some of it.
 *
 * @returns How many versions were let in.
 * @throws {CodedError} As `fetchVersions`.
 */
export async function fetchBeyond(peer: Peer, repository: Uint8Array, tips: Tips, intake: Intake): Promise<number> {
  using hearing = await Hearing.begin(peer, { goal: 'sync', repository, tips })
  for await (const { type, body } of versionFrames(hearing)) {
    if (type === FRAME.page) intake.page(body)
    else await intake.batch()
  }
  return intake.accepted.length
}

/** What brings versions: pages, and ends of batches. */
async function* versionFrames(hearing: Hearing): AsyncGenerator<Frame> {
  for await (const frame of hearing.frames()) {
    if (frame.type === FRAME.stored) throw badFrame(`a frame ${frame.type} has no place here`)
    yield frame
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
  const first = await beginning(peer, { goal: 'clone' })
  if (first.genesis !== undefined) return first
  // What stands before the geneses may be most of the repository: a clone that goes on there leaves it out.
  return beginning(peer, { goal: 'clone', repository: first.id, tips: first.tips, after: BEFORE_GENESES })
}

const KIND = 'K'.charCodeAt(0)
const BEFORE_GENESES = Uint8Array.of(KIND)

async function beginning(peer: Peer, question: Question): Promise<PeerRepository & { readonly tips: Tips }> {
  using hearing = await Hearing.begin(peer, question)
  const { repository: id, tips } = hearing.hello
  if (id === undefined) throw badFrame('it does not say which repository it has')
  for await (const { type, body } of hearing.frames()) {
    if (hearing.bytes > BATCH_BYTES) throw badFrame(`more than ${BATCH_BYTES} bytes come at once`)
    if (type === FRAME.batch) continue
    const stored = type === FRAME.stored ? decodeStored(body) : undefined
    // Pages come in key order.
    if (stored !== undefined && (stored.key[0] as number) !== KIND) break
    const genesis = genesisIn(decodePage(stored?.page ?? body))
    if (genesis !== undefined) return { id, tips, genesis }
  }
  return { id, tips, genesis: undefined }
}

function genesisIn(entries: Iterable<Entry>): Uint8Array | undefined {
  const wanted = genesisKey(0)
  for (const { key, value } of entries) if (equalBytes(key, wanted)) return Uint8Array.from(value)
  return undefined
}
