/**
 * A disk whose clock has ticks of a second: ext2 with small inodes. Only root on Linux may mount one.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { temporary } from './temp.js'

/** Why there is no such disk here; false where there is one. */
export function noCoarseDisk(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a small disk'
  try {
    mountCoarseDisk()[Symbol.dispose]()
    return false
  } catch {
    return 'mounting is not permitted here'
  }
}

/** Mounts a new one of 8 MB. */
export function mountCoarseDisk(): Disposable & { readonly path: string } {
  const dir = temporary('coarse')
  const [image, path] = [join(dir, 'image'), join(dir, 'disk')]
  const file = openSync(image, 'w')
  ftruncateSync(file, 8 << 20)
  closeSync(file)
  mkdirSync(path)
  execFileSync('mkfs.ext2', ['-q', '-I', '128', image], { stdio: 'ignore' })
  execFileSync('mount', ['-o', 'loop', image, path], { stdio: 'ignore' })
  return { path, [Symbol.dispose]: () => void execFileSync('umount', [path]) }
}
