/**
 * Work trees for tests: files made, index built, and a slow, obvious scan to compare the fast one with.
 * @module
 */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileStat } from '../../src/worktree/file-stat.js'
import { type Tracked, WorkIndex } from '../../src/worktree/index-file.js'
import { filesBelow } from './disk.js'
import { temporary } from './temp.js'

/** An empty work tree: a directory with `.weft` in it. */
export function emptyWorkTree(name = 'work'): string {
  const root = temporary(name)
  mkdirSync(join(root, '.weft'))
  return root
}

/** Paths on the disk of whatever bytes. */
export function at(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')])
}

/** The entry for what stands at a path now. */
export function trackedAt(root: string, path: string, file = { seq: 1, stream: 1 }): Tracked {
  const stats = lstatSync(at(root, path))
  const link = stats.isSymbolicLink()
  const data = link ? readlinkSync(at(root, path), { encoding: 'buffer' }) : readFileSync(at(root, path))
  return {
    path,
    mode: link ? 0o120000 : stats.mode & 0o100 ? 0o100755 : 0o100644,
    file,
    size: data.length,
    sha256: createHash('sha256').update(data).digest(),
    chunked: false,
    stat: fileStat(stats),
  }
}

/** The index of all that stands in a work tree but `.weft`, `.git` and what `skip` says, without a base. */
export function indexOf(root: string, skip: (path: string) => boolean = () => false): WorkIndex {
  const paths = [...filesBelow(root).keys()].filter((path) => !/(^|\/)\.(weft|git)(\/|$)/.test(path) && !skip(path))
  return WorkIndex.build(
    undefined,
    paths.sort().map((path, i) => trackedAt(root, path, { seq: i + 1, stream: 7 })),
  )
}
