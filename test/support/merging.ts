/**
 * Little histories to merge: versions made of paths and texts, in a repository of their own.
 * @module
 */
import { encodeUtf8, fromLatin1, toLatin1 } from '../../src/base/bytes.js'
import type { ComposeWrite } from '../../src/history/compose.js'
import type { VersionRef } from '../../src/history/header.js'
import { type MergeOutcome, mergeStates } from '../../src/history/merge.js'
import { pathsAt } from '../../src/history/paths.js'
import { Repository } from '../../src/index.js'
import { formatLseq } from '../../src/lseq/lseq.js'
import { authorVersion } from '../../src/repo/author.js'
import { contentOf } from '../../src/repo/files.js'
import { mergeWrites } from '../../src/repo/merge-writes.js'
import { nowhere } from './temp.js'
import { putMade, writerIn } from './writing.js'

/** What a version makes of a path: a text, a text with a mode, a file moved here (and changed), or nothing. */
export type Change = string | { text?: string; mode?: number; from?: string } | undefined

/** A tree as tests compare it: path -> mode and text. */
export type Files = Record<string, string>

const REGULAR = 0o100644

/** A repository and what is done in it. */
export class Story implements AsyncDisposable {
  readonly repo: Repository
  #count = 0

  private constructor(repo: Repository) {
    this.repo = repo
  }

  /** @param random - Alike for replicas of one repository. */
  static async begin(random?: (bytes: number) => Uint8Array): Promise<Story> {
    return new Story(await Repository.openOrCreate(nowhere('story'), random))
  }

  /** Takes over all that another replica has. */
  async take({ repo }: Story): Promise<void> {
    for await (const batch of repo.entries.scan()) await this.repo.entries.put([...batch])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repo[Symbol.asyncDispose]()
  }

  /** Makes a version with changes relative to its first parent. */
  async commit(
    parents: readonly VersionRef[],
    changes: Readonly<Record<string, Change>>,
    name = 'Ada',
  ): Promise<VersionRef> {
    const [parent] = parents
    const puts = new Map<string, { mode: number; file: { seq: number; stream: number }; text: string }>()
    if (parent !== undefined) {
      const vector = await this.repo.versions.vectorOf(parent)
      for await (const { path, entry } of pathsAt(this.repo.entries, this.repo.versions.streams, vector)) {
        puts.set(path, { ...entry, text: toLatin1(await contentOf(this.#files, path, entry, vector)) })
      }
    }
    const writes: ComposeWrite[] = []
    for (const [path, change] of Object.entries(changes)) {
      const want = typeof change === 'string' ? { text: change } : change
      const old = puts.get(want?.from ?? path)
      if (want === undefined) {
        if (old !== undefined) writes.push({ path, deleted: old.file })
        continue
      }
      const content = async () => fromLatin1(want.text ?? old?.text ?? '')
      writes.push({ path, put: { mode: want.mode ?? old?.mode ?? REGULAR, file: old?.file, content } })
      if (want.from !== undefined && old !== undefined && !(want.from in changes))
        writes.push({ path: want.from, deleted: old.file })
    }
    return this.#write(parents, writes, name)
  }

  /** Merges without committing. */
  async outcome(left: VersionRef, right: VersionRef): Promise<MergeOutcome> {
    const { versions } = this.repo
    return mergeStates(this.repo, await versions.vectorOf(left), await versions.vectorOf(right))
  }

  /** Merges and commits what comes out, conflicts and all. */
  async merge(left: VersionRef, right: VersionRef): Promise<VersionRef> {
    const { versions } = this.repo
    const outcome = await this.outcome(left, right)
    if (outcome.kind !== 'merge') return outcome.kind === 'already' ? left : right
    const sides = { left: await versions.vectorOf(left), right: await versions.vectorOf(right) }
    return this.#write([left, right], mergeWrites(this.#files, outcome, sides), 'Mia')
  }

  /** What a merge makes of everything, committed or not. */
  async merged(left: VersionRef, right: VersionRef): Promise<Files> {
    const files = await this.files(left)
    const { versions } = this.repo
    const outcome = await this.outcome(left, right)
    const sides = { left: await versions.vectorOf(left), right: await versions.vectorOf(right) }
    for (const { path, put } of mergeWrites(this.#files, outcome, sides)) {
      delete files[path]
      if (put !== undefined) files[path] = shown(put.mode, toLatin1(await put.content()))
    }
    return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Paths, modes and texts of a version. */
  async files(version: VersionRef): Promise<Files> {
    const vector = await this.repo.versions.vectorOf(version)
    const files: Files = {}
    for await (const { path, entry } of pathsAt(this.repo.entries, this.repo.versions.streams, vector)) {
      files[path] = shown(entry.mode, toLatin1(await contentOf(this.#files, path, entry, vector)))
    }
    return files
  }

  /** File ids by path. */
  async ids(version: VersionRef): Promise<Files> {
    const vector = await this.repo.versions.vectorOf(version)
    const ids: Files = {}
    for await (const { path, entry } of pathsAt(this.repo.entries, this.repo.versions.streams, vector)) {
      ids[path] = formatLseq(entry.file.seq, entry.file.stream)
    }
    return ids
  }

  get #files() {
    return { entries: this.repo.entries, streams: this.repo.versions.streams }
  }

  async #write(parents: readonly VersionRef[], writes: readonly ComposeWrite[], name: string): Promise<VersionRef> {
    const { entries, versions } = this.repo
    const time = 1_700_000_000 + this.#count++
    const author = { name: encodeUtf8(name), email: encodeUtf8('a@example.org'), time, zone: 0 }
    const version = { parents, writes, author, committer: author, message: encodeUtf8(`${this.#count}`) }
    const { ref, entries: added } = await authorVersion({ entries, versions, ...(await writerIn(this.repo)) }, version)
    await putMade(this.repo, added)
    return ref
  }
}

/** Texts of regular files stand for themselves. */
function shown(mode: number, text: string): string {
  return mode === REGULAR ? text : `${mode.toString(8)} ${text}`
}

/** Lines from words: `a b c` are three. */
export function lines(words: string): string {
  return words === '' ? '' : `${words.split(' ').join('\n')}\n`
}
