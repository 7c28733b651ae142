/**
 * Making a bundle: of everything that is offered, or of what is newer than what somebody has.
 *
 * What goes into a bundle leaves this replica, so it counts as published from then on, as after a push.
 * @module
 */
import { CodedError } from '../base/error.js'
import { readRepositoryId } from '../history/genesis.js'
import { type Tip, Tips, tipOf } from '../history/published.js'
import type { Replica } from '../history/replica.js'
import type { Versions } from '../history/versions.js'
import type { Vector } from '../lseq/vector.js'
import type { Repository } from '../repo/repository.js'
import type { State } from '../repo/resolve.js'
import { openBundle, writeBundle } from './bundle-file.js'
import type { Exchange } from './exchange.js'
import { offeredTips } from './intake.js'
import { missingVersions } from './missing.js'
import { rememberedTips } from './remembered.js'
import { type Remote, readRemotes } from './remotes.js'
import { syncContext } from './repository-context.js'
import { sendVersions } from './send.js'
import { sendStored } from './stored-pages.js'

type Frames = Pick<Exchange, 'write'>

/** How to make a bundle. */
export interface MakeBundleOptions {
  /** The name of a remote, a bundle, or a version: it brings what is newer. By default everything. */
  readonly since?: string | undefined
  /** Write over a file that is there. */
  readonly force?: boolean | undefined
  /** The user's config directory (`syncContext`). */
  readonly home?: string | undefined
  readonly progress?: ((phase: string, done: number, total: number) => void) | undefined
}

/**
 * Makes a bundle.
 *
 * @throws {CodedError} `BUNDLE_EMPTY` where there is nothing to bring; `V_*`, `REMOTE_UNKNOWN` for `since`; `FILE_EXISTS`, `DISK_*`.
 */
export async function makeBundle(repo: Repository, path: string, options: MakeBundleOptions): Promise<void> {
  const { since: text, force, home, progress } = options
  const context = await syncContext(repo, home)
  const { entries, versions, branch } = context
  const repository = await readRepositoryId(entries)
  const since = text === undefined ? new Tips() : await sinceTips(repo, context.replica, text)
  const tips = await offeredTips(context)
  if (tips.size === 0) throw empty('this repository has no versions yet')
  const theirs = await both(versions, tips, since)
  const head = { repository, replica: context.replica?.id, branch }
  if (theirs.size === 0) {
    const whole = (frames: Frames): Promise<void> => sendStored(context, frames, tips, { tips, after: undefined })
    await writeBundle(path, { ...head, since: theirs, tips }, whole, { force })
    return
  }
  const lacking = await missingVersions(versions, tips, theirs)
  if (lacking.length === 0) throw empty(`nothing here is newer than ${text}`)
  const streams = new Set(lacking.map(({ stream }) => stream))
  const brings = new Tips([...tips].filter(({ stream }) => streams.has(stream)))
  const told = (sent: number): void => progress?.('writing', sent, lacking.length)
  const part = (frames: Frames): Promise<void> => sendVersions(context, frames, lacking, told)
  await writeBundle(path, { ...head, since: theirs, tips: brings }, part, { force })
}

/** What somebody has of whom `text` tells. */
async function sinceTips(repo: Repository, replica: Replica | undefined, text: string): Promise<Tips> {
  const remote = readRemotes(repo.root).find(({ name }) => name === text)
  if (remote !== undefined) return remoteTips(repo, remote)
  if (text.endsWith('.weft')) {
    const { since, tips } = (await openBundle(text)).head
    return tips.join(since)
  }
  const { vector, tips } = await repo.resolve(text)
  const names = await namesBefore(repo, replica, tips)
  return (await tipsIn(repo.versions, vector)).join(names)
}

/**
 * Of the streams of names that were begun here, what was in them when some versions were made. Whoever has a version that was
 * made here has had it from here, by whatever way, and those with it: what is older is sent first. Of other replicas'
 * names nothing follows from a version, and all are sent.
 */
async function namesBefore(
  { versions }: Repository,
  replica: Replica | undefined,
  tips: State['tips'],
): Promise<Tip[]> {
  const made = tips.filter(({ stream }) => replica?.own.has(stream) === true)
  const first = Math.max(0, ...made.map((version) => version.first))
  const found: Tip[] = []
  for (const stream of first === 0 ? [] : (replica?.own ?? [])) {
    const at = await versions.atOrBefore({ seq: first, stream })
    if (at === undefined) continue
    const { id, tree } = await versions.expect(at)
    if (tree === undefined) found.push(tipOf({ ...at, id }))
  }
  return found
}

async function remoteTips(repo: Repository, { name, url }: Remote): Promise<Tips> {
  const tips = await rememberedTips(repo.entries, peerUrl(url))
  if (tips !== undefined) return tips
  throw new CodedError('REMOTE_UNKNOWN', `Nobody knows here what ${name} has: it was never spoken to.`, {
    hint: `Sync with it once, name a version, or leave --since out for a bundle of everything.`,
  })
}

/** The address under which what a remote has is remembered: without what is a secret. */
function peerUrl(text: string): string {
  // A directory that is not there now, as of a disk that was taken away, is known by its path.
  if (!/^https?:/i.test(text) || !URL.canParse(text)) return text
  const plain = new URL(text)
  plain.username = ''
  plain.password = ''
  return plain.href
}

async function tipsIn(versions: Versions, vector: Vector): Promise<Tips> {
  const tips: Tip[] = []
  for (const [slot, seq] of vector.entries()) {
    const stream = versions.streams.id(slot)
    tips.push(tipOf({ seq, stream, id: (await versions.expect({ seq, stream })).id }))
  }
  return new Tips(tips)
}

/** What both have: of each stream the lesser tip, where they mean one stream. */
async function both(versions: Versions, mine: Tips, theirs: Tips): Promise<Tips> {
  const tips: Tip[] = []
  for (const their of theirs) {
    const own = mine.get(their.stream)
    if (own === undefined) continue
    if (own.seq < their.seq) tips.push(own)
    else {
      const version = await versions.get(their.seq, their.stream)
      if (version !== undefined && tipOf({ ...their, id: version.id }).check === their.check) tips.push(their)
    }
  }
  return new Tips(tips)
}

function empty(why: string): CodedError {
  return new CodedError('BUNDLE_EMPTY', `A bundle would be empty: ${why}.`, { hint: 'No file was made.' })
}
