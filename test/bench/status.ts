/**
 * `weft status` beside `git status`, and `weft commit`, on trees of 10,000 and 80,000 files: a part of `npm run bench` (`--only status`).
 *
 * Both see the same files, in directories of a hundred, committed in both. The limit is git's time and a Node start, since
 * that alone takes longer than git.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { median, run } from './measure.js'

const WEFT = join(resolve(import.meta.dirname, '../..'), 'bin/run.js')

/** Files of each directory, and directories of each directory above. */
const FILES = 100
const DIRECTORIES = 20

/** A run is short, and so noisy. */
const TIMES = 5

/** What a status may take beside git's, in seconds: a Node start. */
const START = 0.15

/** Seconds that a commit of one file may take. */
const COMMIT_LIMIT = 0.4

/** Where file `i` of a tree is. */
function pathOf(i: number): string {
  const directory = Math.floor(i / FILES)
  return `part-${Math.floor(directory / DIRECTORIES)}/directory-${directory}/file-${i % FILES}.txt`
}

/** Makes a tree of `count` files, committed in git and in weft. */
function makeTree(root: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const path = pathOf(i)
    if (i % FILES === 0) mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), `This is file ${i}.\nIt has two lines.\n`)
  }
  const env = { ...process.env, WEFT_AUTHOR_NAME: 'a', WEFT_AUTHOR_EMAIL: 'a@example.org' }
  const call = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  call('git', 'init', '-q')
  writeFileSync(join(root, '.git/info/exclude'), '.weft\n')
  call('git', 'add', '.')
  call('git', '-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '-qm', 'all')
  call(process.execPath, WEFT, 'init')
  call(process.execPath, WEFT, 'commit', '-m', 'all')
  // Stats that were too young to be remembered are by the first status that follows.
  call(process.execPath, WEFT, 'status')
}

/** Measures and prints a line for each tree and for 0 and 10 changed files. */
export async function benchStatus(runs: number): Promise<void> {
  const temp = mkdtempSync(join(tmpdir(), 'weft-bench-'))
  process.env['WEFT_AUTHOR_NAME'] = 'a'
  process.env['WEFT_AUTHOR_EMAIL'] = 'a@example.org'
  console.log(`\nstatus, median of ${runs * TIMES}\n`)
  try {
    for (const count of [10_000, 80_000]) {
      const root = join(temp, String(count))
      makeTree(root, count)
      for (const changed of [0, 10]) {
        for (let i = 0; i < changed; i++) appendFileSync(join(root, pathOf(Math.floor((i * count) / changed))), 'x\n')
        await measure(root, `${count} files, ${changed} changed`, changed === 0 ? 1 : 2, runs * TIMES)
      }
      await measureCommit(root, count, runs * TIMES)
    }
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
}

/** Commits of one changed file each. What else had changed is committed before. */
async function measureCommit(root: string, count: number, times: number): Promise<void> {
  const seconds: number[] = []
  const commit = () => run(process.execPath, [WEFT, 'commit', '-m', 'one file'], root)
  await commit()
  for (let i = 0; i < times; i++) {
    appendFileSync(join(root, pathOf(i * FILES)), 'y\n')
    seconds.push((await commit()).seconds)
  }
  tell(`${count} files, commit of one`, median(seconds), undefined, COMMIT_LIMIT)
}

async function measure(root: string, what: string, factor: number, times: number): Promise<void> {
  const weft: number[] = []
  const git: number[] = []
  for (let i = 0; i < times; i++) {
    weft.push((await run(process.execPath, [WEFT, 'status'], root)).seconds)
    git.push((await run('git', ['status'], root)).seconds)
  }
  tell(what, median(weft), median(git), median(git) * factor + START)
}

function tell(what: string, weft: number, git: number | undefined, limit: number): void {
  const cells = [weft, git, limit].map((n) => (n === undefined ? '-' : `${(n * 1000).toFixed(0)} ms`).padStart(8))
  console.log(`${what.padEnd(28)}${cells.join('')}  ${weft <= limit ? 'pass' : 'MISS'}`)
}
