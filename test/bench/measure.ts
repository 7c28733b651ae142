/**
 * Running a program and measuring it: wall-clock seconds, peak memory, medians.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One run of a program. */
export interface Run {
  readonly seconds: number
  /** Greatest resident memory of the process itself in bytes, where the system tells. */
  readonly peak: number | undefined
}

/** How often a running process is asked for its peak memory, in milliseconds. The peak never falls, so seldom is enough. */
const POLL = 50

/**
 * Runs a program to its end, its output thrown away.
 *
 * @throws {Error} With what it wrote to stderr, where it does not end with status 0.
 */
export async function run(command: string, args: readonly string[], cwd: string): Promise<Run> {
  const began = performance.now()
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  let peak: number | undefined
  child.stderr.on('data', (part: Buffer) => {
    said += part
  })
  const poll = setInterval(() => {
    peak = peakOf(child.pid) ?? peak
  }, POLL)
  const [status] = (await once(child, 'exit')) as [number | null]
  const seconds = (performance.now() - began) / 1000
  clearInterval(poll)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${status}: ${said}`)
  return { seconds, peak }
}

/** Peak resident memory of a process in bytes, from /proc: Linux only. */
function peakOf(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux' || pid === undefined) return undefined
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch (error) {
    // The process ended between two looks.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** The middle one of some numbers; of an even count, the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2
}

/** Bytes of all files below a directory that `wanted` takes. */
export function bytesBelow(directory: string, wanted: (name: string) => boolean = () => true): number {
  let bytes = 0
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const stat = lstatSync(join(directory, name))
    if (stat.isFile() && wanted(name)) bytes += stat.size
  }
  return bytes
}
