/**
 * Bisection in a work tree: versions are marked good or bad, and the work tree is brought to the one to test next.
 *
 * Every mark is an operation, so undo takes it back. Which version is next is found in history/bisect.ts.
 * @module
 */
import { fromHex, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { type BisectStep, nextStep } from '../history/bisect.js'
import { Graph } from '../history/graph.js'
import type { Version } from '../history/header.js'
import { branchHeads } from '../repo/branch-heads.js'
import type { Head } from '../repo/layout.js'
import type { Repository } from '../repo/repository.js'
import type { VersionInfo } from '../repo/results.js'
import type { Failure } from './apply.js'
import { planMove } from './move-tree.js'
import { standingState } from './open-conflicts.js'
import { rebuildIndex } from './rebuild.js'
import type { BisectUnderWay, WorkState } from './state.js'
import type { Worktree } from './worktree.js'

/** What may be said of a version. */
export type BisectMark = 'good' | 'bad' | 'skip'

/** Where a bisection stands. Versions are hex ids but where they are told in full. */
export interface BisectReport {
  /**
   * `waiting` for a good or a bad version; `testing` one; the first bad version is `found`; or `unclear`, since those that could
   * still be tested were skipped.
   */
  readonly status: 'waiting' | 'testing' | 'found' | 'unclear'
  readonly bad?: string
  readonly good: readonly string[]
  readonly skipped: readonly string[]
  /** The version to test, on which the work tree now stands, or the one that was found. */
  readonly version?: VersionInfo
  /** How many candidates are left after this test, at most. */
  readonly left?: number
  /** How many more tests it takes, about. */
  readonly steps?: number
  /** Whether the version is tested only because a good version is not in the bad one's past. */
  readonly base?: boolean
  /** Where it is unclear: the first bad version is one of these. */
  readonly candidates?: readonly VersionInfo[]
  /** Paths whose unsaved changes were carried along. */
  readonly carried: readonly string[]
  readonly failures: readonly Failure[]
}

/** The end of a bisection. */
export interface BisectEnd {
  /** Where the work tree stands again. */
  readonly branch?: string
  readonly version?: string
  readonly carried: readonly string[]
  readonly failures: readonly Failure[]
}

/**
 * Begins.
 *
 * @throws {CodedError} `BISECT_UNDER_WAY`, and as `markBisect`.
 */
export async function startBisect(
  work: Worktree,
  bad: string | undefined,
  good: readonly string[],
): Promise<BisectReport> {
  if (work.state.bisect !== undefined) {
    throw new CodedError('BISECT_UNDER_WAY', 'A bisection is under way already.', {
      hint: 'Go on with `weft bisect good`, `bad` or `skip`, or end it with `weft bisect reset`.',
    })
  }
  work.assertNothingUnderWay('bisecting')
  const known: BisectUnderWay = { start: work.head, good: [], skipped: [], log: ['start'] }
  const marked = await marking(work, known, 'bad', bad === undefined ? [] : [bad])
  return goOn(work, await marking(work, marked, 'good', good), 'start')
}

/**
 * Marks versions, by default the one that the work tree stands on, and goes on to the next one to test.
 *
 * @throws {CodedError} `BISECT_NONE`, `BISECT_REVERSED`, `WOULD_LOSE`, `V_*`. Nothing is then marked.
 */
export async function markBisect(work: Worktree, mark: BisectMark, versions: readonly string[]): Promise<BisectReport> {
  const known = underWay(work.state)
  return goOn(work, await marking(work, known, mark, versions.length === 0 ? [standing(work)] : versions), mark)
}

/**
 * Says where a bisection stands, and sees to it that the work tree stands on the version to test.
 *
 * @throws {CodedError} `BISECT_NONE`, `WOULD_LOSE`.
 */
export async function resumeBisect(work: Worktree): Promise<BisectReport> {
  const known = underWay(work.state)
  const report = await reportOf(work.repo, known, await stepAfter(work.repo, known))
  if (report.status !== 'testing' || report.version?.id === work.head.version) return report
  return { ...report, ...(await move(work, { version: report.version?.id }, 'go on', known)) }
}

/** What was said so far, in order: `bad <hex id>`. @throws {CodedError} `BISECT_NONE`. */
export function bisectLog(state: WorkState): readonly string[] {
  return underWay(state).log
}

/**
 * Ends a bisection: the work tree stands again where it stood before, on the branch as it now is.
 *
 * @throws {CodedError} `BISECT_NONE`, `WOULD_LOSE`.
 */
export async function resetBisect(work: Worktree): Promise<BisectEnd> {
  const { start } = underWay(work.state)
  const head = await headNow(work.repo, start)
  const moved = await move(work, head, 'reset', undefined)
  const { branch, version } = head
  return { ...(branch !== undefined && { branch }), ...(version !== undefined && { version }), ...moved }
}

function underWay({ bisect }: WorkState): BisectUnderWay {
  if (bisect !== undefined) return bisect
  throw new CodedError('BISECT_NONE', 'No bisection is under way.', {
    hint: '`weft bisect start <bad> <good>` begins one.',
  })
}

function standing({ index: { base } }: Worktree): string {
  if (base !== undefined) return toHex(base.id)
  throw new CodedError('V_UNKNOWN', 'The work tree stands on no version yet.', { hint: 'Name one.' })
}

/** What is known once versions are marked. A version that was skipped may be marked otherwise later on. */
async function marking(
  { repo }: Worktree,
  known: BisectUnderWay,
  mark: BisectMark,
  versions: readonly string[],
): Promise<BisectUnderWay> {
  let { bad, good, skipped, log } = known
  for (const text of versions) {
    const id = toHex((await versionNamed(repo, text)).id)
    log = [...log, `${mark} ${id}`]
    if (mark === 'skip') {
      skipped = skipped.includes(id) ? skipped : [...skipped, id]
      continue
    }
    skipped = skipped.filter((other) => other !== id)
    if (mark === 'bad') bad = id
    else good = good.includes(id) ? good : [...good, id]
  }
  return { ...known, bad, good, skipped, log }
}

async function versionNamed(repo: Repository, text: string): Promise<Version> {
  const { version } = await repo.resolve(text)
  if (version !== undefined) return version
  throw new CodedError('V_NOT_ONE', `${text} is the join of several versions.`, { hint: 'Name one of them.' })
}

/** Keeps what is known, and brings the work tree to the version to test. */
async function goOn(work: Worktree, known: BisectUnderWay, said: string): Promise<BisectReport> {
  const step = await stepAfter(work.repo, known)
  const report = await reportOf(work.repo, known, step)
  const version = report.status === 'testing' ? report.version?.id : undefined
  const head = version === undefined ? work.head : { version }
  return { ...report, ...(await move(work, head, said, known)) }
}

async function move(
  work: Worktree,
  head: Head,
  said: string,
  bisect: BisectUnderWay | undefined,
): Promise<Pick<BisectReport, 'carried' | 'failures'>> {
  const index = await rebuildIndex(work.repo, head.version, work.index)
  const { files, carried } = planMove(work, index)
  const { bisect: _, ...rest } = await standingState(work, index)
  const state = bisect === undefined ? rest : { ...rest, bisect }
  const { failures } = await work.perform({ command: 'bisect', summary: said, files, head, index, state })
  return { carried, failures }
}

/** The branch where it now is; the version that it was at where there is no such branch any more. */
async function headNow(repo: Repository, { branch, version }: Head): Promise<Head> {
  if (branch === undefined) return { version }
  const heads = (await branchHeads(repo.entries, branch)).map(({ id }) => toHex(id))
  if (heads.length === 0) return version === undefined ? { branch } : { version }
  return { branch, version: heads.find((id) => id === version) ?? heads[0] }
}

/** A step, and the versions it speaks of. */
interface Found {
  readonly step: BisectStep | undefined
  readonly graph: Graph
}

/** @returns No step where a good or a bad version is not known yet. @throws {CodedError} `BISECT_REVERSED`. */
async function stepAfter(repo: Repository, { bad, good, skipped }: BisectUnderWay): Promise<Found> {
  const graph = new Graph(repo.versions.streams)
  if (bad === undefined || good.length === 0) return { step: undefined, graph }
  for await (const links of repo.versions.links()) graph.add(links)
  const numbers = new Map<string, number>()
  for (const id of [bad, ...good, ...skipped]) numbers.set(id, await numberOf(repo, graph, id))
  const number = (id: string): number => numbers.get(id) as number
  const marks = { bad: number(bad), good: new Set(good.map(number)), skipped: new Set(skipped.map(number)) }
  const step = nextStep(graph, marks)
  if (step.kind !== 'reversed') return { step, graph }
  const wrong = good.filter((id) => step.good.includes(number(id))).map((id) => id.slice(0, 12))
  throw new CodedError(
    'BISECT_REVERSED',
    `${bad.slice(0, 12)} is bad and in the past of ${wrong.join(', ')}, said to be good: what you look for was mended in between, not broken.`,
    { hint: 'To find what mended it, start again and call the old state good and the new one bad.' },
  )
}

async function numberOf({ versions }: Repository, graph: Graph, id: string): Promise<number> {
  const [version] = await versions.withId('v', fromHex(id) as Uint8Array, (found) => toHex(found.id) === id)
  const number = version && graph.at(graph.streams.slot(version.stream), version.last)
  if (number !== undefined) return number
  throw new CodedError('VERSION_MISSING', `The version ${id.slice(0, 12)} of the bisection is not here.`, {
    hint: 'End it with `weft bisect reset` and start again.',
  })
}

async function reportOf(repo: Repository, { bad, good, skipped }: BisectUnderWay, found: Found): Promise<BisectReport> {
  const { step, graph } = found
  const known = { ...(bad !== undefined && { bad }), good, skipped, carried: [], failures: [] }
  const info = (number: number): Promise<VersionInfo> => infoOf(repo, graph, number)
  switch (step?.kind) {
    case 'test': {
      const { left, steps, base } = step
      return { ...known, status: 'testing', version: await info(step.version), left, steps, base }
    }
    case 'found':
      return { ...known, status: 'found', version: await info(step.version) }
    case 'unclear':
      return { ...known, status: 'unclear', candidates: await Promise.all(step.versions.map(info)) }
    default:
      return { ...known, status: 'waiting' }
  }
}

async function infoOf(repo: Repository, graph: Graph, number: number): Promise<VersionInfo> {
  const { slot, last: seq } = graph.node(number)
  const { id } = await repo.versions.expect({ seq, stream: graph.streams.id(slot) })
  for await (const info of repo.log({ at: toHex(id), limit: 1 })) return info
  throw new TypeError(`version ${number}: expected one, got none`)
}
