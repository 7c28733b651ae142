/**
 * Repairing a repository from a peer: what is damaged is found as `weft verify` finds it, fetched again, and verified.
 *
 * Damaged entries and pages are replaced where they are (history/repair.ts). Where files of LevelDB itself are damaged, a new
 * store is made beside from what can be read of them, repaired there, and put in the place of the old one, which is kept:
 *
 *     <root>/.weft/store.rebuilt        while it is being made
 *     <root>/.weft/store.damaged-<n>    what was there before
 *
 * A store that may have lost versions that were made here does not go on with its own streams: somebody may have them.
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CodedError } from '../base/error.js'
import { forgetTips } from '../history/published.js'
import { type Repaired, type RepairSource, repairEntries } from '../history/repair.js'
import { beginReplica, readReplica, replicaOperation } from '../history/replica.js'
import { Survey } from '../history/survey.js'
import { EntryStore } from '../lseq/entries.js'
import { openLevelStore } from '../lseq/level.js'
import { salvage } from '../lseq/salvage.js'
import { syncDirectory } from '../repo/durable.js'
import { storePath, WEFT_DIRECTORY } from '../repo/layout.js'
import { placeAt } from '../repo/replica.js'
import { formatOperation, Repository } from '../repo/repository.js'
import type { Damage, Progress, VerifyReport } from '../repo/results.js'
import type { Peer } from './exchange.js'
import { fetchBeyond, fetchRepository, fetchVersions } from './fetch.js'
import { Intake } from './intake.js'
import { syncContext } from './repository-context.js'

/** How to repair. */
export interface RepairOptions {
  /** The user's config directory. */
  readonly home?: string | undefined
  /** Milliseconds to wait for another process that has the repository open. */
  readonly wait?: number | undefined
  readonly progress?: Progress | undefined
}

/** What a repair found and did. */
export interface RepairReport extends Repaired {
  readonly url: string
  /** What was damaged before. */
  readonly damage: readonly Damage[]
  /** Directory in which the old store is kept, where a new one took its place. */
  readonly kept?: string
  /** How many versions came as in a pull, since nothing was left here that says what they have to be. */
  readonly pulled: number
  /** What verification says now. */
  readonly after: VerifyReport
}

const NOTHING: Repaired = { fetched: [], left: [], others: [], pages: 0, put: 0, removed: 0 }

/**
 * Repairs the repository at `root`. Nobody else may have it open.
 *
 * @throws {CodedError} `STORE_LOCKED`; what the peer throws: nothing has been changed then.
 */
export async function repairRepository(root: string, peer: Peer, options: RepairOptions): Promise<RepairReport> {
  const source: RepairSource = {
    fetch: (repository, wanted) => fetchVersions(peer, repository, wanted),
    repository: () => fetchRepository(peer),
  }
  const { url } = peer
  const found = await look(root, options)
  if (found.isBroken) {
    const { kept, repaired } = await rebuild(root, source)
    const pulled = await pull(root, peer, repaired, options)
    return { url, damage: found.damage, ...repaired, kept, pulled, ...(await outcome(root, repaired, options)) }
  }
  if (found.damage.length === 0) return { url, damage: [], ...NOTHING, pulled: 0, after: found.report }
  const repaired = await inPlace(root, source, options)
  const pulled = await pull(root, peer, repaired, options)
  return { url, damage: found.damage, ...repaired, pulled, ...(await outcome(root, repaired, options)) }
}

/** What verification says now, and what was not to be had, unless nothing needs it. */
async function outcome(
  root: string,
  { left }: Repaired,
  options: RepairOptions,
): Promise<Pick<RepairReport, 'left' | 'after'>> {
  const after = await verified(root, options)
  return { left: after.ok ? [] : left, after }
}

type Found =
  | { readonly isBroken: true; readonly damage: readonly Damage[] }
  | { readonly isBroken: false; readonly damage: readonly Damage[]; readonly report: VerifyReport }

/** What is damaged, and whether files of LevelDB are. */
async function look(root: string, options: RepairOptions): Promise<Found> {
  try {
    const report = await verified(root, options)
    if (report.damage.some(({ kind }) => kind === 'file')) return { isBroken: true, damage: report.damage }
    return { isBroken: false, damage: report.damage, report }
  } catch (error) {
    // What cannot even be opened, or fell apart when it was read.
    if (!(error instanceof CodedError) || !BROKEN.has(error.code)) throw error
    return { isBroken: true, damage: [{ kind: 'file', detail: error.message }] }
  }
}

const BROKEN = new Set<string>(['STORE_CORRUPT', 'STORE_MISSING', 'FORMAT_BAD', 'REPO_NOT_FOUND'])

async function verified(root: string, options: RepairOptions): Promise<VerifyReport> {
  await using repo = await opened(root, options)
  return await repo.verify({ ...(options.progress !== undefined && { progress: options.progress }) })
}

function opened(root: string, { home, wait }: RepairOptions): Promise<Repository> {
  // Not through a server: it would go on with what is replaced below it.
  return Repository.open(root, { home, wait, direct: true })
}

/**
 * Takes in what the peer offers and is not here, as a pull does: of what is lost with all that knew of it nobody can say here
 * what it has to be, so that it is admitted like anything new.
 */
async function pull(root: string, peer: Peer, { left, others }: Repaired, options: RepairOptions): Promise<number> {
  // Who has other versions in the place of those that were here is not asked for more.
  if (left.length === 0 || others.length > 0) return 0
  await using repo = await opened(root, options)
  const survey = await Survey.of(repo.entries)
  if (survey.repository === undefined) return 0
  const intake = new Intake(await syncContext(repo, options.home))
  try {
    return await fetchBeyond(peer, survey.repository, survey.prefixes(), intake)
  } catch (error) {
    // Where something is damaged still, that may be in the way: verification tells of it.
    if (error instanceof CodedError && error.blame === 'data') return intake.accepted.length
    throw error
  }
}

async function inPlace(root: string, source: RepairSource, options: RepairOptions): Promise<Repaired> {
  await using repo = await opened(root, options)
  const { entries } = repo
  const repaired = await repairEntries(entries, source)
  if (repaired.left.length > 0) {
    const record = await readReplica(entries)
    await entries.store.batch([replicaOperation(beginReplica(record?.place)), forgetTips()], { sync: true })
  }
  return repaired
}

/** Makes a new store of what can be read and what is fetched, and puts it in the place of the old one. */
async function rebuild(root: string, source: RepairSource): Promise<{ kept: string; repaired: Repaired }> {
  const directory = await realpath(join(root, WEFT_DIRECTORY))
  const old = join(directory, basename(storePath(root)))
  const made = join(directory, `${basename(old)}.rebuilt`)
  await rm(made, { recursive: true, force: true })
  await mkdir(made)
  try {
    const repaired = await fill(made, old, source)
    const kept = freeName(join(directory, `${basename(old)}.damaged`))
    await rename(old, kept)
    await rename(made, old)
    syncDirectory(directory)
    return { kept, repaired }
  } catch (error) {
    await rm(made, { recursive: true, force: true })
    throw error
  }
}

async function fill(made: string, old: string, source: RepairSource): Promise<Repaired> {
  const store = await openLevelStore(made, { create: true })
  await using entries = new EntryStore(store)
  await salvage(old, store)
  const replica = replicaOperation(beginReplica(await placeAt(made, old)))
  await store.batch([formatOperation(), replica], { sync: true })
  const repaired = await repairEntries(entries, source)
  // What was published before may not be here any more; what is said to be here is not sent again.
  await store.batch([forgetTips()], { sync: true })
  await store.compact()
  return repaired
}

function freeName(path: string): string {
  for (let n = 1; ; n++) if (!existsSync(`${path}-${n}`)) return `${path}-${n}`
}
