/**
 * A point at which the process dies, as seen from the disk: the n-th call that changes something. It is not done, a write
 * is done by half, and from then on every such call fails, so that whatever the program does on its way out (`finally`,
 * `using`, `catch`) leaves no trace, as if it had never come to it.
 *
 * What LevelDB writes by itself is out of reach: its batches count as one call each, since they are atomic.
 * @module
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { AdaptedStore } from '../../src/lseq/adapter.js'

/** What the program meets at the point and from then on. */
export class Death extends Error {}

const SYNC = [
  'chmodSync', 'copyFileSync', 'fsyncSync', 'futimesSync', 'linkSync', 'lutimesSync', 'mkdirSync', 'renameSync',
  'rmdirSync', 'rmSync', 'symlinkSync', 'unlinkSync', 'utimesSync', 'writeFileSync', 'writeSync',
] as const // biome-ignore format: a list
const PROMISES = ['link', 'mkdir', 'rename', 'rm', 'symlink', 'unlink', 'writeFile'] as const

let left = Number.POSITIVE_INFINITY
let dead = false

type Callable = (...args: unknown[]) => unknown

/** Counts a call down. @returns Whether this is the one. */
function step(): boolean {
  if (dead) throw new Death()
  dead = --left <= 0
  return dead
}

function wrap(name: string, real: Callable): Callable {
  return (...args) => {
    if (!step()) return real(...args)
    if (name === 'writeSync') {
      const [file, bytes, from = 0] = args as [number, Uint8Array, number?]
      real(file, bytes, from, (bytes.length - from) >> 1)
    }
    throw new Death(name)
  }
}

function isForWriting(flags: unknown): boolean {
  return typeof flags === 'string'
    ? flags !== 'r'
    : typeof flags === 'number' && (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0
}

function install(): void {
  const sync = fs as unknown as Record<string, Callable>
  const promises = fs.promises as unknown as Record<string, Callable>
  for (const name of SYNC) sync[name] = wrap(name, (sync[name] as Callable).bind(fs))
  // A death of the process alone loses nothing that was written, and disks are slow.
  sync['fsyncSync'] = wrap('fsyncSync', () => undefined)
  for (const name of PROMISES) {
    const real = (promises[name] as Callable).bind(fs.promises)
    promises[name] = async (...args) => wrap(name, real)(...args)
  }
  const open = (sync['openSync'] as Callable).bind(fs)
  sync['openSync'] = (...args) => (isForWriting(args[1] ?? 'r') ? wrap('openSync', open)(...args) : open(...args))
  syncBuiltinESMExports()
  const { batch } = AdaptedStore.prototype
  AdaptedStore.prototype.batch = async function (operations) {
    if (step()) throw new Death('batch')
    return batch.call(this, operations, { sync: false })
  }
}

/**
 * Runs something that dies at its n-th change.
 *
 * @param n - From 1 on.
 * @returns Whether it came to that; what it throws otherwise is thrown.
 */
export async function dyingAt(n: number, run: () => Promise<unknown>): Promise<boolean> {
  left = n
  dead = false
  try {
    await run()
  } catch (error) {
    if (!dead) throw error
  } finally {
    left = Number.POSITIVE_INFINITY
  }
  const died = dead
  dead = false
  return died
}

install()
