/**
 * A repository with a work tree to play in: files written and looked at, commands called as the library has them.
 * @module
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { commit, initRepository, Repository, undo, Worktree } from '../../src/index.js'
import { formatLseq } from '../../src/lseq/lseq.js'
import { filesBelow } from './disk.js'
import type { Random } from './random.js'
import { temporary } from './temp.js'
import { HOME } from './weft.js'

/** Files on the disk, `.weft` left out: mode and content, or where a link points, by path. */
export type Disk = Readonly<Record<string, string>>

export const AUTHOR = { name: 'Ada', email: 'ada@example.org' }

export class Playground implements AsyncDisposable {
  readonly root: string
  readonly repo: Repository
  readonly work: Worktree

  private constructor(root: string, repo: Repository, work: Worktree) {
    this.root = root
    this.repo = repo
    this.work = work
  }

  static async begin(name = 'playground'): Promise<Playground> {
    const root = temporary(name)
    await initRepository(root, 'main', { home: HOME })
    const repo = await Repository.open(root, { home: HOME })
    return new Playground(root, repo, await Worktree.open(repo))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repo[Symbol.asyncDispose]()
  }

  /** Writes files, and removes those that are undefined. A text that begins with `-> ` makes a link. */
  write(files: Readonly<Record<string, string | undefined>>, executable = false): void {
    for (const [path, text] of Object.entries(files)) {
      const place = join(this.root, path)
      rmSync(place, { force: true, recursive: true })
      if (text === undefined) continue
      mkdirSync(dirname(place), { recursive: true })
      if (text.startsWith('-> ')) symlinkSync(text.slice(3), place)
      else {
        writeFileSync(place, Buffer.from(text, 'latin1'))
        if (executable) chmodSync(place, 0o755)
      }
    }
  }

  /** Commits everything. @returns The version's hex id. */
  async commit(message = 'change', author = AUTHOR): Promise<string> {
    return (await commit(this.work, { message, author })).version
  }

  async undo(): Promise<void> {
    await undo(this.work)
  }

  /** What is on the disk. */
  disk(): Disk {
    const found: Record<string, string> = {}
    for (const [path, { mode, data }] of filesBelow(this.root)) {
      if (!path.startsWith('.weft/')) found[path] = `${mode} ${data.toString('latin1')}`
    }
    return found
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path))
  }

  /** File ids of the version that the work tree stands on, by path. */
  ids(): Record<string, string> {
    const ids: Record<string, string> = {}
    for (const { path, file } of this.work.index.all()) ids[path] = formatLseq(file.seq, file.stream)
    return ids
  }

  /** Changes some files: new ones, other contents, modes and kinds, and some that go. */
  disturb(chance: Random, paths: readonly string[]): void {
    for (const path of paths) {
      const place = join(this.root, path)
      const dice = chance.below(8)
      if (existsSync(place) && lstatSync(place).isDirectory() && chance.below(2) === 0) continue
      if (isBlocked(this.root, path)) continue
      if (dice < 3) this.write({ [path]: someText(chance) }, chance.below(5) === 0)
      else if (dice === 3) this.write({ [path]: undefined })
      else if (dice === 4) this.write({ [path]: `-> ${chance.below(9)}` })
    }
  }
}

/** A few lines, or bytes that are no text. */
export function someText(chance: Random): string {
  if (chance.below(10) === 0) return `\0${chance.below(1000)}`
  return Array.from({ length: 1 + chance.below(6) }, () => `line ${chance.below(20)}\n`).join('')
}

/** Whether something on the way to a path is no directory. */
function isBlocked(root: string, path: string): boolean {
  const parent = dirname(path)
  if (parent === '.') return false
  const stat = lstatSync(join(root, parent), { throwIfNoEntry: false })
  return stat === undefined ? isBlocked(root, parent) : !stat.isDirectory()
}
