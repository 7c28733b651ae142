/**
 * Loaded into a weft process before anything else: kills it, as SIGKILL does, at the n-th call by which it changes
 * something on the disk (`WEFT_KILL_AT`). A write is done by half.
 * @module
 */
import fs from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const NAMES = ['fsyncSync', 'futimesSync', 'lutimesSync', 'mkdirSync', 'openSync', 'renameSync', 'rmSync', 'rmdirSync', 'symlinkSync', 'unlinkSync', 'writeSync'] // biome-ignore format: a list
let left = isMainThread ? Number(process.env['WEFT_KILL_AT'] ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY

function die() {
  process.kill(process.pid, 'SIGKILL')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

for (const name of NAMES) {
  const real = fs[name]
  fs[name] = (...args) => {
    const counts = name !== 'openSync' || (typeof args[1] === 'string' && args[1] !== 'r')
    // What a program writes to its standard streams is not on the disk.
    if (counts && !(name === 'writeSync' && args[0] <= 2) && --left === 0) {
      if (name === 'writeSync') real(args[0], args[1], 0, args[1].length >> 1)
      die()
    }
    return real(...args)
  }
}
