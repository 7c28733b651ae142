/**
 * `weft status` beside `git status`, on trees of 10,000 and 80,000 files: a part of `npm run bench` (`--only status`).
 *
 * Both see the same files, in directories of a hundred. Git's tree is committed; weft's index is built from the files, as
 * a commit would leave it. Limits are in milliseconds beside git's time, since a Node start alone takes longer than git.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileStat } from '../../src/worktree/file-stat.js'
import { type Tracked, WorkIndex } from '../../src/worktree/index-file.js'
import { median, run } from './measure.js'

const WEFT = join(resolve(import.meta.dirname, '../..'), 'bin/run.js')

/** Files of each directory, and directories of each directory above. */
const FILES = 100
const DIRECTORIES = 20

/** A run is short, and so noisy. */
const TIMES = 5

/** What a status may take beside git's, in seconds: a Node start. */
const START = 0.15

const ID = new Uint8Array(32).fill(1)

/** Where file `i` of a tree is. */
function pathOf(i: number): string {
  const directory = Math.floor(i / FILES)
  return `part-${Math.floor(directory / DIRECTORIES)}/directory-${directory}/file-${i % FILES}.txt`
}

/** Makes a tree of `count` files, in git and with an index. */
export function makeTree(root: string, count: number): void {
  const tracked: Tracked[] = []
  mkdirSync(join(root, '.weft/store'), { recursive: true })
  for (let i = 0; i < count; i++) {
    const path = pathOf(i)
    if (i % FILES === 0) mkdirSync(join(root, path, '..'), { recursive: true })
    const content = `This is file ${i}.\nIt has two lines.\n`
    writeFileSync(join(root, path), content)
    const sha256 = createHash('sha256').update(content).digest()
    const file = { seq: i + 1, stream: 1 }
    tracked.push({ path, mode: 0o100644, file, size: content.length, sha256, chunked: false, stat: undefined })
  }
  const git = (...args: string[]): void => void execFileSync('git', ['-C', root, ...args], { stdio: 'ignore' })
  git('init', '-q')
  writeFileSync(join(root, '.git/info/exclude'), '.weft\n')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '-qm', 'all')
  writeFileSync(join(root, '.weft/head'), `branch main\nversion ${Buffer.from(ID).toString('hex')}\n`)
  const stats = tracked.map((one) => ({ ...one, stat: fileStat(lstatSync(join(root, one.path))) }))
  stats.sort((a, b) => (a.path < b.path ? -1 : 1))
  WorkIndex.build({ seq: count + 1, stream: 1, id: ID }, stats).write(root)
}

/** Measures and prints a line for each tree and for 0 and 10 changed files. */
export async function benchStatus(runs: number): Promise<void> {
  const temp = mkdtempSync(join(tmpdir(), 'weft-bench-'))
  console.log(`\nstatus, median of ${runs * TIMES}\n`)
  try {
    for (const count of [10_000, 80_000]) {
      const root = join(temp, String(count))
      makeTree(root, count)
      for (const changed of [0, 10]) {
        for (let i = 0; i < changed; i++) appendFileSync(join(root, pathOf(Math.floor((i * count) / changed))), 'x\n')
        await measure(root, `${count} files, ${changed} changed`, changed === 0 ? 1 : 2, runs * TIMES)
      }
    }
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
}

async function measure(root: string, what: string, factor: number, times: number): Promise<void> {
  const weft: number[] = []
  const git: number[] = []
  for (let i = 0; i < times; i++) {
    weft.push((await run(process.execPath, [WEFT, 'status'], root)).seconds)
    git.push((await run('git', ['status'], root)).seconds)
  }
  const limit = median(git) * factor + START
  const cells = [median(weft), median(git), limit].map((n) => `${(n * 1000).toFixed(0)} ms`.padStart(8))
  console.log(`${what.padEnd(28)}${cells.join('')}  ${median(weft) <= limit ? 'pass' : 'MISS'}`)
}
