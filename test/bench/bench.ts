/**
 * weft beside git, on the same machine in the same run: `npm run bench [-- bundle ...] [--runs N] [--only name,name]`.
 *
 * For each bundle (by default all of `../shared/corpus`) a table of ratios, weft / git, from the medians of N runs (3;
 * quick jobs more often), the two taking turns. The limits are those set for redis-2024-03; on other histories they are for comparison. Both start
 * from warm file caches.
 * Work trees follow (daily.ts; `--only daily`, and status.ts; `--only status`), replicas (sync.ts; `--only sync`), and the replicated types (rdx.ts; `--only rdx`). Nothing here is a test: figures
 * depend on the machine.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { benchDaily } from './daily.js'
import { bytesBelow, median, type Run, run } from './measure.js'
import { benchTypes } from './rdx.js'
import { benchLists, benchTrace } from './rdx-list.js'
import { benchStatus } from './status.js'
import { benchSync } from './sync.js'

const ROOT = resolve(import.meta.dirname, '../..')
const WEFT = join(ROOT, 'bin/run.js')
const CORPUS = join(ROOT, '../shared/corpus')

/** What is quick is noisy too, so it is run this many times as often as the rest: a start, and jobs under a second. */
const START_RUNS = 7
const SHORT_RUNS = 3

/** A string to search all of history for, where the history has it; else a long word of the blamed file is taken. */
const STRING = 'zmalloc_used_memory'

/** The file to blame, where the history has it; else the one that changed most often of late. */
const FILE = 'src/server.c'

/** What is measured on one history. */
interface Place {
  readonly bundle: string
  /** Temporary directory of this history. */
  readonly dir: string
  /** Bare clone of the bundle. */
  readonly git: string
  /** weft's repository. */
  readonly repo: string
  readonly file: string
  readonly text: string
  /** A commit ten years older than the newest, or the oldest there is. */
  readonly old: string
}

/** One row of the table: the same job done by both, each in a directory of its own where it writes. */
interface Row {
  readonly name: string
  readonly what: string
  readonly limit: number
  readonly unit: 's' | 'MB'
  readonly measure: (place: Place, runs: number) => Promise<{ weft: number; git: number; note?: string }>
}

function git(dir: string, ...args: string[]): string {
  return execFileSync('git', [`--git-dir=${dir}`, ...args], { encoding: 'utf8', maxBuffer: 1 << 30 }).trim()
}

const weft = (cwd: string, ...args: string[]): Promise<Run> => run(process.execPath, [WEFT, ...args], cwd)
const shell = (cwd: string, script: string, ...args: string[]): Promise<Run> =>
  run('sh', ['-c', script, 'sh', ...args], cwd)

/** Lets the two take turns and gives the medians of their seconds. */
async function turns(
  runs: number,
  ours: (i: number) => Promise<Run>,
  theirs: (i: number) => Promise<Run>,
): Promise<{ weft: number; git: number; peak: number }> {
  const a: Run[] = []
  const b: Run[] = []
  for (let i = 0; i < runs; i++) {
    a.push(await ours(i))
    b.push(await theirs(i))
  }
  const seconds = (all: Run[]): number => median(all.map((one) => one.seconds))
  return { weft: seconds(a), git: seconds(b), peak: Math.max(...a.map((one) => one.peak ?? 0)) }
}

/** An empty directory of this name, whatever was there before. */
function fresh(place: Place, name: string): string {
  const dir = join(place.dir, name)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir)
  return dir
}

let count = 0

/**
 * An empty directory that never was there. What writes many files is slower for minutes where as many were just deleted:
 * the file system does not give their inodes out again so soon, and has to look for others.
 */
function another(place: Place, name: string): string {
  return fresh(place, `${name}-${++count}`)
}

const FAST_IMPORT =
  'git --git-dir="$1" fast-export --all --reencode=no --signed-tags=strip | git --git-dir="$2" fast-import --quiet'

function fastImport(place: Place, target: string): Promise<Run> {
  git(target, 'init', '-q', '--bare')
  return shell(place.dir, FAST_IMPORT, place.git, target)
}

const isPack = (name: string): boolean => name.endsWith('.pack')

/** Branches and tags with what they name. */
function refsBelow(dir: string): string {
  return git(dir, 'for-each-ref', 'refs/heads', 'refs/tags')
}

const ROWS: readonly Row[] = [
  {
    name: 'import',
    what: 'import / fast-export | fast-import',
    limit: 0.4,
    unit: 's',
    measure: async (place, runs) => {
      const result = await turns(
        runs,
        () => weft(place.dir, 'git', 'import', place.bundle, fresh(place, 'repo')),
        () => fastImport(place, fresh(place, 'fast.git')),
      )
      return { ...result, note: result.peak > 0 ? `peak ${(result.peak / 1e6).toFixed(0)} MB` : 'peak unknown' }
    },
  },
  {
    name: 'export',
    what: 'git export / fast-export | fast-import',
    limit: 1,
    unit: 's',
    measure: async (place, runs) => {
      const result = await turns(
        runs,
        () => weft(place.repo, 'git', 'export', '--bare', fresh(place, 'exported.git')),
        () => fastImport(place, fresh(place, 'fast.git')),
      )
      const packs = ['exported.git', 'fast.git'].map((name) =>
        bytesBelow(join(place.dir, name, 'objects/pack'), isPack),
      )
      const [ours, theirs] = packs.map((bytes) => (bytes / 1e6).toFixed(1))
      const wrong = refsBelow(join(place.dir, 'exported.git')) === refsBelow(place.git) ? '' : ', REFS DIFFER'
      return { ...result, note: `packs ${ours} and ${theirs} MB, peak ${(result.peak / 1e6).toFixed(0)} MB${wrong}` }
    },
  },
  {
    name: 'size',
    what: 'repository / pack after repack -adf',
    limit: 0.8,
    unit: 'MB',
    measure: async (place) => {
      git(place.git, 'repack', '-adfq')
      const pack = bytesBelow(join(place.git, 'objects/pack'), isPack)
      return { weft: bytesBelow(join(place.repo, '.weft')) / 1e6, git: pack / 1e6 }
    },
  },
  {
    name: 'restore',
    what: 'restore of an old version / archive | tar',
    limit: 3,
    unit: 's',
    measure: (place, runs) =>
      turns(
        runs * SHORT_RUNS,
        () => weft(place.repo, 'restore', '--at', place.old, '--to', another(place, 'restored')),
        () =>
          shell(
            place.dir,
            'git --git-dir="$1" archive "$2" | tar x -C "$3"',
            place.git,
            place.old,
            another(place, 'archived'),
          ),
      ),
  },
  {
    name: 'verify',
    what: 'verify / fsck --full',
    limit: 1,
    unit: 's',
    measure: (place, runs) =>
      turns(
        runs,
        () => weft(place.repo, 'verify'),
        () => run('git', [`--git-dir=${place.git}`, 'fsck', '--full'], place.dir),
      ),
  },
  {
    name: 'blame',
    what: 'blame / blame',
    limit: 0.25,
    unit: 's',
    measure: async (place, runs) => {
      const result = await turns(
        runs * SHORT_RUNS,
        () => weft(place.repo, 'blame', place.file),
        () => run('git', [`--git-dir=${place.git}`, 'blame', 'HEAD', '--', place.file], place.dir),
      )
      return { ...result, note: place.file }
    },
  },
  {
    name: 'grep',
    what: 'grep -F --history / log -S --all',
    limit: 0.5,
    unit: 's',
    measure: async (place, runs) => {
      const result = await turns(
        runs * SHORT_RUNS,
        () => weft(place.repo, 'grep', '-F', '--history', '--', place.text),
        () => run('git', [`--git-dir=${place.git}`, 'log', '--all', '--oneline', `-S${place.text}`], place.dir),
      )
      return { ...result, note: place.text }
    },
  },
  {
    name: 'version',
    what: '--version / node -e 0',
    limit: 2,
    unit: 's',
    measure: (place, runs) =>
      turns(
        runs * START_RUNS,
        () => weft(place.dir, '--version'),
        () => run(process.execPath, ['-e', '0'], place.dir),
      ),
  },
]

/** Clones a bundle and picks the file, the string and the version to try. */
function prepare(bundle: string, temp: string): Place {
  const dir = mkdtempSync(join(temp, `${basename(bundle, '.bundle')}-`))
  const clone = join(dir, 'git')
  execFileSync('git', ['clone', '-q', '--mirror', bundle, clone], { stdio: ['ignore', 'ignore', 'inherit'] })
  const files = new Set(git(clone, 'ls-tree', '-r', '--name-only', 'HEAD').split('\n'))
  const file = files.has(FILE) ? FILE : busiest(clone, files)
  const content = git(clone, 'show', `HEAD:${file}`)
  const text = content.includes(STRING) ? STRING : (/[A-Za-z_]{12,}/.exec(content)?.[0] ?? 'function')
  const newest = new Date(git(clone, 'log', '-1', '--format=%cI', 'HEAD'))
  newest.setUTCFullYear(newest.getUTCFullYear() - 10)
  const old =
    git(clone, 'rev-list', '-1', `--before=${newest.toISOString()}`, 'HEAD') ||
    git(clone, 'rev-list', '--max-parents=0', 'HEAD').split('\n')[0] ||
    'HEAD'
  return { bundle, dir, git: clone, repo: join(dir, 'repo'), file, text, old }
}

/** The file of HEAD that the last commits changed most often. */
function busiest(clone: string, files: ReadonlySet<string>): string {
  const counts = new Map<string, number>()
  for (const name of git(clone, 'log', '-n', '2000', '--format=', '--name-only', 'HEAD').split('\n')) {
    if (files.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const [first] = [...counts].sort((a, b) => b[1] - a[1])
  return first?.[0] ?? [...files][0] ?? ''
}

function tableLine(cells: readonly string[]): string {
  const widths = [42, 9, 9, 7, 6, 5]
  return cells
    .map((cell, i) => (i === 0 || i > 4 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
    .join('  ')
    .trimEnd()
}

async function bench(bundle: string, rows: readonly Row[], runs: number, temp: string): Promise<void> {
  const place = prepare(bundle, temp)
  console.log(`\n${basename(bundle)}: ${git(place.git, 'rev-list', '--all', '--count')} commits, median of ${runs}\n`)
  console.log(tableLine(['weft / git', 'weft', 'git', 'ratio', 'limit', '']))
  if (!rows.some(({ name }) => name === 'import')) await weft(place.dir, 'git', 'import', bundle, fresh(place, 'repo'))
  for (const { what, limit, unit, measure } of rows) {
    const result = await measure(place, runs)
    const ratio = result.weft / result.git
    const digits = unit === 'MB' ? 2 : 3
    const cells = [result.weft, result.git].map((n) => `${n.toFixed(digits)} ${unit}`)
    const verdict = `${ratio <= limit ? 'pass' : 'MISS'}${result.note === undefined ? '' : `  ${result.note}`}`
    console.log(tableLine([what, ...cells, ratio.toFixed(2), limit.toFixed(2), verdict]))
  }
  rmSync(place.dir, { recursive: true, force: true })
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '3' }, only: { type: 'string', default: '' } },
})
const runs = Number(values.runs)
if (!Number.isInteger(runs) || runs < 1)
  throw new RangeError(`expected --runs to be a positive number, got ${values.runs}`)
const only = values.only.split(',').filter((name) => name !== '')
const rows = ROWS.filter(({ name }) => only.length === 0 || only.includes(name))
const found = existsSync(CORPUS) ? readdirSync(CORPUS).filter((name) => name.endsWith('.bundle')) : []
const bundles =
  positionals.length > 0 ? positionals.map((path) => resolve(path)) : found.map((name) => join(CORPUS, name))
if (bundles.length === 0) throw new Error('There are no bundles in ../shared/corpus: name some as arguments.')

console.log(
  `Node ${process.versions.node}, ${execFileSync('git', ['--version'], { encoding: 'utf8' }).trim()}, ${cpus()[0]?.model}`,
)
const temp = mkdtempSync(join(tmpdir(), 'weft-bench-'))
process.env['WEFT_HOME'] = join(temp, 'home')
try {
  for (const bundle of bundles) {
    if (rows.length > 0) await bench(bundle, rows, runs, temp)
    if (only.length === 0 || only.includes('daily')) await benchDaily(bundle, mkdtempSync(join(temp, 'daily-')), runs)
    if (only.length === 0 || only.includes('sync')) await benchSync(bundle, mkdtempSync(join(temp, 'sync-')), runs)
  }
  if (only.length === 0 || only.includes('status')) await benchStatus(runs)
} finally {
  rmSync(temp, { recursive: true, force: true })
}
if (only.length === 0 || only.includes('rdx')) {
  benchTypes()
  benchLists()
  benchTrace(undefined)
}
