/**
 * Replicas beside git's, over HTTP on this machine: a part of `npm run bench` (`--only sync`).
 *
 * Both servers run in processes of their own, and stay warm. A clone is verified as a whole and its files are written; git's is
 * what `git clone` makes. Ten new commits are those of the newest part of the history: both sides are brought to where they were
 * missing, again for each run.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { median, type Run, run } from './measure.js'

const WEFT = join(resolve(import.meta.dirname, '../..'), 'bin/run.js')

/** Limits: of a clone in git's time and bytes, of a small sync in bytes and seconds more than git's. */
const CLONE = { time: 1.2, bytes: 1 }
const FEW = { bytes: 2000, seconds: 0.15 }
const NOTHING_BYTES = 4000
const SERVER_BYTES = 300e6

/** New commits of a small sync, and clones at one time. */
const NEW = 10
const CLIENTS = 20

const git = (dir: string, ...args: string[]): string =>
  execFileSync('git', ['-C', dir, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 }).trim()
const weft = (dir: string, ...args: string[]): Promise<Run> => run(process.execPath, [WEFT, ...args], dir)
const answer = <T>(dir: string, ...args: string[]): T =>
  JSON.parse(execFileSync(process.execPath, [WEFT, '-C', dir, ...args, '--json'], { encoding: 'utf8' })) as T

/** A server in a process of its own. */
interface Server {
  readonly url: string
  readonly process: ChildProcess
}

/** Measures and prints a line for each. @param temp - An empty directory. */
export async function benchSync(bundle: string, temp: string, runs: number): Promise<void> {
  const place = join(temp, 'served')
  mkdirSync(place)
  // Everything, and the same without the newest commits.
  const branch = mirror(bundle, join(place, 'all.git'))
  cpSync(join(place, 'all.git'), join(place, 'old.git'), { recursive: true })
  git(join(place, 'old.git'), 'update-ref', `refs/heads/${branch}`, commitBehind(join(place, 'all.git'), branch))
  for (const name of ['old', 'all']) {
    execFileSync(process.execPath, [WEFT, 'git', 'import', join(place, 'old.git'), join(place, name)], {
      stdio: 'ignore',
    })
  }
  // A replica of the same repository that has gone on; another import would make another one.
  rmSync(join(place, 'all'), { recursive: true })
  await weft(place, 'clone', join(place, 'old'), join(place, 'all'), '--no-checkout')
  await weft(place, 'git', 'import', join(place, 'all.git'), join(place, 'all'))
  const [ours, theirs] = [await serveWeft(place), await serveGit(place)]
  try {
    console.log(`\nreplicas over HTTP, median of ${runs}\n`)
    await clones(temp, ours, theirs, runs)
    await few(temp, ours, theirs, runs)
    await memory(temp, ours)
  } finally {
    for (const server of [ours, theirs]) server.process.kill()
  }
}

/** Makes a bare clone and answers its branch. */
function mirror(bundle: string, to: string): string {
  execFileSync('git', ['clone', '-q', '--bare', bundle, to], { stdio: 'ignore' })
  return git(to, 'symbolic-ref', '--short', 'HEAD')
}

/** The youngest commit of the branch that lacks about so many of its commits. */
function commitBehind(dir: string, branch: string): string {
  for (let back = 1; ; back++) {
    const commit = `${branch}~${back}`
    if (Number(git(dir, 'rev-list', '--count', `${commit}..${branch}`)) >= NEW) return git(dir, 'rev-parse', commit)
  }
}

async function clones(temp: string, ours: Server, theirs: Server, runs: number): Promise<void> {
  const [mine, its]: [Run[], Run[]] = [[], []]
  let [bytes, gitBytes] = [0, 0]
  for (let i = 0; i < runs; i++) {
    const [a, b] = [join(temp, `weft-${i}`), join(temp, `git-${i}`)]
    mine.push(await weft(temp, 'clone', `${ours.url}/all`, a))
    const before = await bytesOf(theirs)
    its.push(await run('git', ['clone', '-q', `${theirs.url}/all.git`, b], temp))
    gitBytes = (await bytesOf(theirs)) - before
  }
  bytes = answer<{ bytesReceived: number }>(
    temp,
    'clone',
    `${ours.url}/all`,
    join(temp, 'weft-bytes'),
    '--no-checkout',
  ).bytesReceived
  const [a, b] = [mine, its].map((all) => median(all.map(({ seconds }) => seconds))) as [number, number]
  tell('clone, verified, files written', `${a.toFixed(2)} s`, `${b.toFixed(2)} s`, a / b, CLONE.time)
  tell('  bytes', megabytes(bytes), megabytes(gitBytes), bytes / gitBytes, CLONE.bytes)
}

async function few(temp: string, ours: Server, theirs: Server, runs: number): Promise<void> {
  const [mine, its]: [Run[], Run[]] = [[], []]
  await weft(temp, 'clone', `${ours.url}/old`, join(temp, 'weft-old'), '--no-checkout')
  execFileSync('git', ['clone', '-q', '--bare', `${theirs.url}/old.git`, join(temp, 'git-old')], { stdio: 'ignore' })
  let gitBytes = 0
  for (let i = 0; i < 3 * runs; i++) {
    const [a, b] = [join(temp, `weft-new-${i}`), join(temp, `git-new-${i}`)]
    cpSync(join(temp, 'weft-old'), a, { recursive: true })
    cpSync(join(temp, 'git-old'), b, { recursive: true })
    mine.push(await weft(a, 'pull', `${ours.url}/all`))
    const before = await bytesOf(theirs)
    its.push(await run('git', ['fetch', '-q', `${theirs.url}/all.git`, 'refs/heads/*:refs/heads/*'], b))
    gitBytes = (await bytesOf(theirs)) - before
  }
  cpSync(join(temp, 'weft-old'), join(temp, 'weft-count'), { recursive: true })
  const all = `${ours.url}/all`
  const pulled = answer<Counted>(join(temp, 'weft-count'), 'pull', all)
  const bytes = pulled.bytesReceived + pulled.bytesSent
  const [a, b] = [mine, its].map((list) => median(list.map(({ seconds }) => seconds))) as [number, number]
  tell(
    `pull of ${pulled.received} versions`,
    `${(a * 1000).toFixed(0)} ms`,
    `${(b * 1000).toFixed(0)} ms`,
    a,
    b + FEW.seconds,
  )
  tell('  bytes', `${bytes}`, `${gitBytes}`, bytes, gitBytes + FEW.bytes)
  const nothing = answer<Counted>(join(temp, 'weft-count'), 'sync', all)
  const most = Math.max(nothing.bytesReceived, nothing.bytesSent)
  tell('sync with nothing new, bytes each way', `${most}`, '', most, NOTHING_BYTES)
}

interface Counted {
  readonly received: number
  readonly bytesReceived: number
  readonly bytesSent: number
}

/** Memory of the server over what it takes with nothing to do, while many clone at once. */
async function memory(temp: string, { url, process: { pid } }: Server): Promise<void> {
  const idle = residentBytes(pid)
  let peak = idle
  const poll = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid))
  }, 20)
  const targets = mkdtempSync(join(temp, 'many-'))
  const all = Array.from({ length: CLIENTS }, (_, i) =>
    weft(temp, 'clone', `${url}/all`, join(targets, `${i}`), '--no-checkout'),
  )
  await Promise.all(all)
  clearInterval(poll)
  tell(`server while ${CLIENTS} clone, over idle`, megabytes(peak - idle), '', peak - idle, SERVER_BYTES)
}

function residentBytes(pid: number | undefined): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}

async function serveWeft(root: string): Promise<Server> {
  const args = [WEFT, 'serve', root, '--http', '127.0.0.1:0', '--open-read', '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const { url } = JSON.parse(await firstLine(child)) as { url: string }
  return { url: url.replace(/\/$/, ''), process: child }
}

async function serveGit(root: string): Promise<Server> {
  const program = join(import.meta.dirname, 'git-http.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', program, root], { stdio: ['ignore', 'pipe', 'ignore'] })
  return { url: `http://127.0.0.1:${await firstLine(child)}`, process: child }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout !== null) for await (const line of createInterface(child.stdout)) return line
  throw new Error('a server ended before it said where it is')
}

async function bytesOf({ url }: Server): Promise<number> {
  return Number(await (await fetch(`${url}/bytes`)).text())
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** @param value - Compared with `limit`; a ratio, or in the unit of the limit. */
function tell(what: string, ours: string, theirs: string, value: number, limit: number): void {
  const shown = limit < 10 ? `${value.toFixed(2)} of ${limit.toFixed(2)}` : ''
  console.log(
    `${what.padEnd(40)}${ours.padStart(11)}${theirs.padStart(11)}  ${value <= limit ? 'pass' : 'MISS'}  ${shown}`.trimEnd(),
  )
}
