/**
 * Cloning: a whole repository from a peer, verified before it is one.
 *
 * Stored pages come as they are and are put aside (stage.ts); then everything is verified as `weft verify` does it, the
 * indexes are made anew, and the store gets its place. Until then there is no repository, and whoever is interrupted goes on
 * where it stopped.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { deriveAll, isDerived } from '../history/derived.js'
import { type Tips, tipOf } from '../history/published.js'
import { type Verified, verifyEntries } from '../history/verify.js'
import { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq } from '../lseq/lseq.js'
import { decodePage, openPage } from '../lseq/page.js'
import { Streams } from '../lseq/vector.js'
import type { Peer } from './exchange.js'
import { badFrame } from './frames.js'
import { Hearing } from './hearing.js'
import { decodeStored, FRAME, type Hello } from './messages.js'
import { plain } from './said.js'
import { CloneStage } from './stage.js'

/** How to clone. */
export interface CloneOptions {
  /** Directory that is to hold `.weft`; one in which a clone was cut off, or none has been made. */
  readonly root: string
  readonly progress?: ((phase: string, done: number, total: number) => void) | undefined
}

/** What came. */
export interface Cloned {
  readonly verified: Verified
  /** Versions of files. */
  readonly versions: number
  readonly bytesReceived: number
  /** The branch on which the other side's work tree stands. */
  readonly branch: string | undefined
}

/**
 * Clones. When its files have been written, if any are, `endClone` says that it is finished.
 *
 * @throws {CodedError} `CLONE_REFUSED` where what came is not sound: nothing is left of it then. `SYNC_*`, `REMOTE_*`,
 *   `STORE_*`: what has come stays for the next attempt.
 */
export async function clone(peer: Peer, { root, progress = () => undefined }: CloneOptions): Promise<Cloned> {
  const stage = await CloneStage.open(root)
  try {
    const bytesReceived = await fetchStore(peer, stage, progress)
    const hello = stage.hello as Hello
    const entries = stage.entries()
    const verified = await verifyEntries(entries, { progress })
    if (!verified.ok) throw refusal(peer.url, verified)
    const derived = await deriveAll(entries)
    await entries.bulkWhole(async (writer) => {
      for (const { key, value } of derived) {
        const wait = writer.add(key, value)
        if (wait !== undefined) await wait
      }
      return undefined
    })
    await assertPromised(entries, hello.tips)
    await stage.finish(peer.url, hello.tips)
    const versions = derived.filter(({ key }) => toLatin1(key, 0, 2) === 'Iv').length
    return { verified, versions, bytesReceived, branch: branchOf(hello) }
  } catch (error) {
    if (error instanceof CodedError && error.code === 'CLONE_REFUSED') await stage.drop()
    else await stage.close()
    throw error
  }
}

/** The branch where a clone is to begin, if it is one that people can read. */
export function branchOf({ branch }: Hello): string | undefined {
  return branch === undefined || plain(branch) !== branch ? undefined : branch
}

/**
 * A server that keeps something back gives what is sound in itself: only what it said at first tells.
 *
 * @throws {CodedError} `CLONE_REFUSED`.
 */
async function assertPromised(entries: EntryStore, tips: Tips): Promise<void> {
  const versions = new Versions(entries, new Streams())
  for (const tip of tips) {
    const version = await versions.get(tip.seq, tip.stream)
    if (version !== undefined && tipOf({ ...tip, id: version.id }).check === tip.check) continue
    const name = formatLseq(tip.seq, tip.stream)
    throw new CodedError('CLONE_REFUSED', `The other side said to have the version ${name}, and did not send it.`, {
      hint: 'Nothing was cloned. Run it once more, or clone from elsewhere.',
    })
  }
}

/** Gets all that is missing into the stage. */
async function fetchStore(
  peer: Peer,
  stage: CloneStage,
  progress: NonNullable<CloneOptions['progress']>,
): Promise<number> {
  const { hello: begun } = stage
  const from = begun && { repository: begun.repository, tips: begun.tips, after: await stage.last() }
  using hearing = await Hearing.begin(peer, { goal: 'clone', ...from })
  if (begun === undefined) stage.begin({ ...hearing.hello, goal: 'clone' })
  try {
    for await (const { type, body } of hearing.frames()) {
      if (type === FRAME.page) await takeLoose(stage, body)
      else if (type === FRAME.stored) await takeStored(stage, body)
      progress('receiving', hearing.bytes, 0)
    }
    return hearing.bytes
  } finally {
    await stage.flush()
  }
}

async function takeLoose(stage: CloneStage, page: Uint8Array): Promise<void> {
  for (const { key, value } of decodePage(page)) {
    assertNoIndex(key, key)
    await stage.loose(key, value)
  }
}

async function takeStored(stage: CloneStage, body: Uint8Array): Promise<void> {
  const { key, page } = decodeStored(body)
  assertNoIndex(key, openPage(page).firstKey)
  await stage.page(key, page)
}

/**
 * Indexes are made here: one of somebody else's could say anything, and nothing would verify it.
 *
 * @param first - Of the page that ends with `key`: pages hold one kind of entry each.
 */
function assertNoIndex(key: Uint8Array, first: Uint8Array): void {
  if (isDerived(key) || isDerived(first)) throw badFrame('it sends an index')
  if (key[0] !== first[0]) throw badFrame('it sends a page of two kinds of entries')
}

function refusal(url: string, { damage }: Verified): CodedError {
  const [first] = damage
  const more = damage.length > 1 ? ` That is one of ${damage.length} faults.` : ''
  return new CodedError('CLONE_REFUSED', `What came from ${url} is not sound: ${first?.detail}${more}`, {
    hint: 'Nothing was cloned. Run `weft verify` on the other side.',
    data: { damage: damage.slice(0, 100) },
  })
}
