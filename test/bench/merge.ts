/**
 * Real merges, replayed: `npm run bench:merge -- <bundle>... [--limit N] [--explain] [--only commit,...] [--repo dir]`.
 *
 * Every merge of two parents in a history is done again from its parents alone, by weft and by `git merge-tree
 * --write-tree`, and what comes out is compared with what people committed. Three outcomes: clean and equal, clean but
 * different, conflict. Merges where the two differ are listed, with `--explain` with the paths in question.
 * `--repo` names a repository into which the bundle was imported before; otherwise it is imported and removed again.
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { equalBytes, toHex } from '../../src/base/bytes.js'
import { defaultCrypto as crypto } from '../../src/crypto/default.js'
import { extraOf } from '../../src/history/extra.js'
import { type MergeOutcome, mergeStates } from '../../src/history/merge.js'
import { differingPaths } from '../../src/history/merge-paths.js'
import { importGit, openIdentity, Repository } from '../../src/index.js'
import type { Lseq } from '../../src/lseq/lseq.js'
import { median } from './measure.js'

type Outcome = 'equal' | 'different' | 'conflict'

const OUTCOMES: readonly Outcome[] = ['equal', 'different', 'conflict']

const NAMES: Record<Outcome, string> = {
  equal: 'clean and equal',
  different: 'clean but different',
  conflict: 'conflict',
}

/** A merge that somebody committed. */
interface Merge {
  readonly id: string
  readonly tree: string
  readonly parents: readonly [string, string]
}

/** A merge, done again. */
interface Replay {
  readonly merge: Merge
  readonly weft: Outcome
  readonly git: Outcome
  /** Seconds that weft took. */
  readonly seconds: number
  /** What weft has to say: paths that differ, or conflicts. */
  readonly notes: readonly string[]
}

function git(dir: string, ...args: string[]): string {
  return execFileSync('git', [`--git-dir=${dir}`, ...args], { encoding: 'utf8', maxBuffer: 1 << 30 }).trim()
}

function mergesOf(dir: string): Merge[] {
  const lines = git(dir, 'log', '--all', '--min-parents=2', '--max-parents=2', '--format=%H %T %P').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', tree = '', left = '', right = ''] = line.split(' ')
      return { id, tree, parents: [left, right] }
    })
}

function byGit(dir: string, { tree, parents }: Merge): Outcome {
  const args = [
    `--git-dir=${dir}`,
    'merge-tree',
    '--write-tree',
    '--no-messages',
    '--allow-unrelated-histories',
    ...parents,
  ]
  const { status, stdout, stderr } = spawnSync('git', args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status === 1) return 'conflict'
  if (status !== 0) throw new Error(`git merge-tree ${parents.join(' ')} ended with ${status}: ${stderr}`)
  return stdout.startsWith(tree) ? 'equal' : 'different'
}

/** weft's repository, with the place of every commit. */
class Place {
  readonly #repository: Repository
  readonly #versions: ReadonlyMap<string, Lseq>

  private constructor(repository: Repository, versions: ReadonlyMap<string, Lseq>) {
    this.#repository = repository
    this.#versions = versions
  }

  static async open(repository: Repository): Promise<Place> {
    const versions = new Map<string, Lseq>()
    for await (const version of repository.versions.all()) {
      const id = extraOf(version, 'git')
      if (id !== undefined) versions.set(toHex(id), { seq: version.last, stream: version.stream })
    }
    return new Place(repository, versions)
  }

  async replay(merge: Merge): Promise<Pick<Replay, 'weft' | 'seconds' | 'notes'>> {
    const { versions } = this.#repository
    const [left, right, merged] = await Promise.all([...merge.parents, merge.id].map((id) => this.#vectorOf(id)))
    if (left === undefined || right === undefined || merged === undefined)
      throw new Error(`${merge.id} is not imported`)
    const began = performance.now()
    const outcome = await mergeStates(this.#repository, left, right)
    const seconds = (performance.now() - began) / 1000
    const { conflicts } = outcome
    if (conflicts.length > 0) {
      const notes = conflicts.map(
        ({ kind, path, regions }) => `${kind} ${path} ${regions.map((r) => r.markers?.start)}`,
      )
      return { weft: 'conflict', seconds, notes }
    }
    const wanted = await differingPaths(this.#repository.entries, versions.streams, left, merged, [left])
    const notes = differences(
      outcome,
      new Map(wanted.map(({ path, right: put }) => [path, put && shown(put.mode, put.sha256)])),
      new Map(wanted.map(({ path, left: put }) => [path, put && shown(put.mode, put.sha256)])),
    )
    return { weft: notes.length === 0 ? 'equal' : 'different', seconds, notes }
  }

  async #vectorOf(commit: string) {
    const lseq = this.#versions.get(commit)
    return lseq && this.#repository.versions.vectorOf(lseq)
  }
}

type Shown = string | undefined

function shown(mode: number, sha256: Uint8Array): string {
  return `${mode.toString(8)} ${toHex(sha256)}`
}

/** Paths at which what weft made is not what was committed. */
function differences(
  outcome: MergeOutcome,
  wanted: ReadonlyMap<string, Shown>,
  left: ReadonlyMap<string, Shown>,
): string[] {
  const made = new Map<string, Shown>()
  for (const { path, put } of outcome.paths) {
    const content = put?.content
    const sha256 = content === undefined ? undefined : 'put' in content ? content.put.sha256 : crypto.sha256(content)
    made.set(path, put && sha256 && shown(put.mode, sha256))
  }
  const paths = new Set([...wanted.keys(), ...made.keys()])
  return [...paths].filter((path) => {
    const was = left.get(path)
    const want = wanted.has(path) ? wanted.get(path) : was
    const have = made.has(path) ? made.get(path) : was
    return want !== have && !(wanted.get(path) === undefined && !wanted.has(path) && sameAsLeft(outcome, path))
  })
}

function sameAsLeft(outcome: MergeOutcome, path: string): boolean {
  const found = outcome.paths.find((one) => one.path === path)
  if (found?.left === undefined || found.put === undefined) return false
  const { content, mode } = found.put
  const sha256 = 'put' in content ? content.put.sha256 : crypto.sha256(content)
  return mode === found.left.mode && equalBytes(sha256, found.left.sha256)
}

function table(replays: readonly Replay[]): string {
  const rows = OUTCOMES.map((outcome) => {
    const count = (by: 'weft' | 'git') => String(replays.filter((one) => one[by] === outcome).length).padStart(6)
    return `${NAMES[outcome].padEnd(22)}${count('git')}${count('weft')}`
  })
  const pairs = OUTCOMES.flatMap((g) => OUTCOMES.filter((w) => w !== g).map((w) => [g, w] as const))
  const moves = pairs.map(([g, w]) => {
    const count = replays.filter((one) => one.git === g && one.weft === w).length
    return count === 0 ? '' : `  git ${NAMES[g]}, weft ${NAMES[w]}: ${count}\n`
  })
  const times = replays.map(({ seconds }) => seconds)
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => `${((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 1000).toFixed(0)} ms`
  return `${' '.repeat(22)}   git  weft\n${rows.join('\n')}\n${moves.join('')}weft's time: median ${(median(times) * 1000).toFixed(0)} ms, 95 % ${at(0.95)}, longest ${at(1)}\n`
}

const RANK: Record<Outcome, number> = { equal: 0, conflict: 1, different: 2 }

async function bench(
  bundle: string,
  options: { limit: number; explain: boolean; only: string[]; repo: string | undefined },
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'weft-merge-'))
  try {
    const bare = join(dir, 'git')
    execFileSync('git', ['clone', '-q', '--bare', bundle, bare])
    const all = mergesOf(bare).filter(
      ({ id }) => options.only.length === 0 || options.only.some((one) => id.startsWith(one)),
    )
    const step = Math.max(1, all.length / options.limit)
    const merges =
      all.length <= options.limit
        ? all
        : Array.from({ length: options.limit }, (_, i) => all[Math.floor(i * step)] as Merge)
    const repo = options.repo ?? join(dir, 'weft')
    if (options.repo === undefined)
      await importGit({ source: bundle, dir: repo, identity: await openIdentity(join(dir, 'home')) })
    await using repository = await Repository.open(repo)
    const place = await Place.open(repository)
    const replays: Replay[] = []
    for (const merge of merges) {
      replays.push({ merge, git: byGit(bare, merge), ...(await place.replay(merge)) })
      if (replays.length % 50 === 0) process.stderr.write(`\r${replays.length} of ${merges.length} `)
    }
    process.stderr.write('\r')
    console.log(
      `${basename(bundle)}: ${merges.length} merges of two parents${merges.length < all.length ? ` (of ${all.length})` : ''}\n`,
    )
    console.log(table(replays))
    for (const { merge, git: theirs, weft: ours, notes } of replays) {
      if (ours === theirs && options.only.length === 0) continue
      const verdict = RANK[ours] > RANK[theirs] ? 'worse' : RANK[ours] < RANK[theirs] ? 'better' : 'alike'
      console.log(
        `${merge.id.slice(0, 12)} ${verdict}  git: ${NAMES[theirs]}, weft: ${NAMES[ours]}  ${merge.parents.map((one) => one.slice(0, 12)).join(' ')}`,
      )
      if (options.explain) for (const note of notes.slice(0, 12)) console.log(`    ${note}`)
    }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: 'string' },
    explain: { type: 'boolean' },
    only: { type: 'string' },
    repo: { type: 'string' },
  },
})
for (const bundle of positionals) {
  await bench(resolve(bundle), {
    limit: values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit),
    explain: values.explain === true,
    only: values.only?.split(',') ?? [],
    repo: values.repo,
  })
}
