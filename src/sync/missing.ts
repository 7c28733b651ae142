/**
 * Which versions the other side lacks: those that this one offers, less what the other's tips cover.
 *
 * Found by walking from the tips into the past, so that it costs what is missing and not what there is.
 * @module
 */
import type { Version } from '../history/header.js'
import { recordedTips, type Tips, tipOf } from '../history/published.js'
import type { Versions } from '../history/versions.js'
import { compareLseq, formatLseq, type Lseq } from '../lseq/lseq.js'
import type { SyncContext } from './context.js'

/** As much of a version as is needed to send it. */
export interface Missing extends Pick<Version, 'stream' | 'first' | 'last' | 'prev'> {
  /** Whether it is a version of files, and not one of names. */
  readonly isContent: boolean
}

/**
 * The versions that `mine` covers and `theirs` does not, parents first.
 *
 * A stream of theirs that stands at a version which is another one here does not count: it was written to from two places,
 * or is another stream of that id. All of it is sent then, and the other side finds out which.
 */
export async function missingVersions(versions: Versions, mine: Tips, theirs: Tips): Promise<Missing[]> {
  const other = await strangeStreams(versions, mine, theirs)
  const isTheirs = (lseq: Lseq): boolean => theirs.covers(lseq) && !other.has(lseq.stream)
  const found = new Map<string, Missing>()
  const todo: Lseq[] = [...mine]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const name = formatLseq(next.seq, next.stream)
    if (next.seq === 0 || found.has(name) || isTheirs(next)) continue
    const version = await versions.expect(next)
    const { prev, parents } = version
    found.set(name, missing(version))
    todo.push(prev, ...parents)
  }
  return [...found.values()].sort((a, b) => compareLseq({ ...a, seq: a.last }, { ...b, seq: b.last }))
}

/** What is to be known of a version that is sent. */
export function missing({ stream, first, last, prev, tree }: Version): Missing {
  return { stream, first, last, prev, isContent: tree !== undefined }
}

/** Streams of which the other side's tip is not the version that is here at that place. */
async function strangeStreams(versions: Versions, mine: Tips, theirs: Tips): Promise<Set<number>> {
  const strange = new Set<number>()
  for (const their of theirs) {
    const tip = mine.get(their.stream)
    if (tip === undefined || tip.seq < their.seq) continue
    let check: number | undefined = tip.check
    if (tip.seq > their.seq) {
      const version = await versions.get(their.seq, their.stream)
      check = version === undefined ? undefined : tipOf({ ...their, id: version.id }).check
    }
    if (check !== their.check) strange.add(their.stream)
  }
  return strange
}

/**
 * Streams that nobody has seen of this replica, and of which the other side has another one of that id. They are not sent:
 * when the other side's has come, one's own may be given another id.
 */
export async function unseenClashes(
  { entries, versions }: Pick<SyncContext, 'entries' | 'versions'>,
  mine: Tips,
  theirs: Tips,
): Promise<number[]> {
  const recorded = await recordedTips(entries)
  const strange = await strangeStreams(versions, mine, theirs)
  return [...strange].filter((stream) => recorded.get(stream) === undefined)
}
