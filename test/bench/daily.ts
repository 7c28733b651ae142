/**
 * Daily commands in a work tree of a real history, beside git: a part of `npm run bench` (`--only daily`).
 *
 * Both have the same files, of the newest version. A switch goes to and fro: all but weft's first find the contents at hand
 * (worktree/content-cache.ts), and that one is told beside. Limits that git's time does not enter into are what a person notices.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { median, type Run, run } from './measure.js'

const WEFT = join(resolve(import.meta.dirname, '../..'), 'bin/run.js')

/** A run is short, and so noisy. */
const TIMES = 5

/** What a switch may take beside twice git's time, in seconds: a Node start. */
const START = 0.15

/** Seconds for a diff of ten files. */
const DIFF_LIMIT = 0.25

/** Commits between the two versions that are switched between. */
const APART = 100

/** Files that are changed for the diff. */
const CHANGED = 10

const weft = (dir: string, ...args: string[]): Promise<Run> => run(process.execPath, [WEFT, ...args], dir)

/** Measures and prints a line for each command. @param temp - An empty directory. */
export async function benchDaily(bundle: string, temp: string, runs: number): Promise<void> {
  const [ours, theirs] = [join(temp, 'weft'), join(temp, 'git')]
  execFileSync('git', ['clone', '-q', bundle, theirs], { stdio: 'ignore' })
  execFileSync(process.execPath, [WEFT, 'git', 'import', bundle, ours, '--checkout'], { stdio: 'ignore' })
  const out = (...args: string[]) => execFileSync('git', ['-C', theirs, ...args], { encoding: 'utf8' }).trim()
  const versions = [out('rev-parse', `HEAD~${APART}`), out('rev-parse', 'HEAD')]
  console.log(`\nwork tree, median of ${runs * TIMES}\n`)
  const first = await weft(ours, 'switch', versions[0] as string)
  const switches = await turns(
    runs * TIMES,
    (i) => weft(ours, 'switch', versions[(i + 1) % 2] as string),
    (i) => run('git', ['checkout', '-q', versions[i % 2] as string], theirs),
  )
  tell(`switch, ${APART} commits apart`, switches, switches.git * 2 + START)
  console.log(`  the first: ${(first.seconds * 1000).toFixed(0)} ms`)
  const files = out('ls-files', '*.c', '*.js').split('\n')
  for (let i = 0; i < CHANGED; i++) {
    const path = files[Math.floor((i * files.length) / CHANGED)] as string
    for (const dir of [ours, theirs]) appendFileSync(join(dir, path), 'one line more\n')
  }
  const diffs = await turns(
    runs * TIMES,
    () => weft(ours, 'diff'),
    () => run('git', ['diff'], theirs),
  )
  tell(`diff of ${CHANGED} changed files`, diffs, DIFF_LIMIT)
}

interface Medians {
  readonly weft: number
  readonly git: number
}

async function turns(times: number, a: (i: number) => Promise<Run>, b: (i: number) => Promise<Run>): Promise<Medians> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let i = 0; i < times; i++) {
    ours.push((await a(i)).seconds)
    theirs.push((await b(i)).seconds)
  }
  return { weft: median(ours), git: median(theirs) }
}

function tell(what: string, { weft: ours, git }: Medians, limit: number): void {
  const cells = [ours, git, limit].map((n) => `${(n * 1000).toFixed(0)} ms`.padStart(8))
  console.log(`${what.padEnd(28)}${cells.join('')}  ${ours <= limit ? 'pass' : 'MISS'}`)
}
