/**
 * The objects of an export, on their way into a pack: contents, trees, commits, tags.
 * @module
 */
import { fromLatin1, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { extraOf, GIT_EXTRA } from '../history/extra.js'
import type { Version } from '../history/header.js'
import type { Ref } from '../history/refs.js'
import { walkTrees } from '../history/verify-contents.js'
import type { Entry } from '../lseq/batch.js'
import type { Lseq } from '../lseq/lseq.js'
import type { Progress, Refusal } from '../repo/results.js'
import { bornTag } from './born.js'
import { writeBlobs } from './export-blobs.js'
import type { RefUpdate } from './export-finish.js'
import { notForward } from './export-forward.js'
import type { ExportPlan } from './export-plan.js'
import { type ExportRef, refusal, refusalOf, shown } from './export-refs.js'
import { exportedEntry } from './exported.js'
import { gitObjectId } from './object-id.js'
import type { ObjectType, PackWriter } from './pack.js'
import { runGit } from './process.js'
import { CommitRebuilder, mismatch } from './rebuild.js'
import type { StoredCommits } from './stored.js'
import type { Target } from './target.js'
import { isDirectory, parseTree } from './tree-id.js'
import { TreeWriter } from './tree-writer.js'

/** Objects on their way into the pack. */
export class Writing {
  readonly #stored: StoredCommits
  readonly #target: Target
  readonly #plan: ExportPlan
  readonly #pack: PackWriter
  readonly #progress: Progress
  /** Numbers of versions whose commits need what was never imported, or stand on such. */
  readonly #broken = new Set<number>()

  constructor(stored: StoredCommits, target: Target, plan: ExportPlan, pack: PackWriter, progress: Progress) {
    this.#stored = stored
    this.#target = target
    this.#plan = plan
    this.#pack = pack
    this.#progress = progress
  }

  /** How many commits have been written. */
  get written(): number {
    return this.#plan.wanted.length - this.#broken.size
  }

  /** Writes what git lacks. Returns the notes of commits that were made of versions born here. */
  async commits(): Promise<Entry[]> {
    const { wanted, oids, known } = this.#plan
    if (wanted.length === 0) return []
    const { entries, graph } = this.#stored
    let contents = 0
    for (const list of this.#plan.contents.values()) contents += list.length
    await writeBlobs(
      {
        entries,
        graph,
        hashLength: this.#target.hashLength,
        pack: this.#pack,
        known,
        isProven: (number) => extraOf(this.#stored.version(number), GIT_EXTRA) !== undefined,
        progress: (done) => this.#progress('contents', done, contents),
      },
      this.#plan.contents,
      this.#plan.writes.byFile.size,
      oids,
    )
    return this.#trees()
  }

  #trees(): Entry[] {
    const { wanted, boundary, oids, known, writes, notes } = this.#plan
    const stored = this.#stored
    const rebuilder = new CommitRebuilder(this.#target.hashLength, oids)
    const trees = new TreeWriter(this.#pack, known, this.#target.hashLength)
    const isWanted = new Set(wanted)
    const noted: Entry[] = []
    let done = 0
    for (const { number, tree } of walkTrees(stored.graph, writes)) {
      const isNew = isWanted.has(number)
      if (!isNew && !boundary.has(number)) continue
      const version = stored.version(number)
      const note = notes(version)
      const parents = stored.gitParents(number).map((parent) => toHex(fromLatin1(stored.commitOf(parent))))
      const { id, bytes } = rebuilder.commit(version, note, tree, parents, isNew ? trees : undefined)
      if (!isNew) {
        // What git has of this commit is what stands here: so the ids it lists may be built on.
        if (id !== stored.commitOf(number)) throw mismatch(hexOf(stored.commitOf(number)), hexOf(id))
        continue
      }
      const isWhole = trees.endCommit() && !stored.gitParents(number).some((parent) => this.#broken.has(parent))
      if (isWhole) this.#pack.add('commit', id, bytes)
      else this.#broken.add(number)
      if (stored.name(number, id)) noted.push(exportedEntry(fromLatin1(id), lseqOf(version)))
      if (++done % 256 === 0) this.#progress('commits', done, wanted.length)
    }
    return noted
  }

  /** What is to be done with a ref, once all commits are known; undefined for nothing. */
  async update({ name, isBranch, ref }: ExportRef): Promise<RefUpdate | Refusal | undefined> {
    const { version, gitObject } = ref.value
    const there = this.#target.refs.get(name)?.id
    const problem =
      notForward(this.#stored, this.#target, { name, isBranch, ref }, NONE) ?? this.#incomplete(name, version)
    if (problem !== undefined) return problem
    const gitTags = this.#tagsOf(ref)
    const [outer] = gitTags
    const id =
      outer !== undefined
        ? this.#idOf('tag', outer)
        : version === undefined
          ? this.#idOfObject(gitObject)
          : this.#commitAt(version)
    const hex = hexOf(id)
    if (there === hex) return undefined
    if (!isBranch && there !== undefined) {
      return refusal(name, 'GIT_TAG_DIFFERS', `In git, ${shown(name)} names another object, ${there.slice(0, 12)}.`, {
        hint: 'A tag is set once: delete one of the two.',
      })
    }
    try {
      if (gitObject !== undefined) await this.#object(gitObject)
    } catch (error) {
      if (error instanceof CodedError && error.code === 'GIT_OBJECT_MISSING') return refusalOf(name, error)
      throw error
    }
    for (const tag of gitTags) this.#pack.add('tag', this.#idOf('tag', tag), tag)
    return { name, from: there, to: hex }
  }

  /** Why what a ref leads to cannot be in git whole. */
  #incomplete(name: string, version: Lseq | undefined): Refusal | undefined {
    if (this.#broken.size === 0 || version === undefined) return undefined
    const broken = this.#stored.reached([this.#stored.numberOf(version)]).find((number) => this.#broken.has(number))
    if (broken === undefined) return undefined
    const message = `A tree of the commit ${this.#stored.hexOf(broken).slice(0, 12)} names a content that no path stands for.`
    return refusal(name, 'GIT_OBJECT_MISSING', message, {
      hint: 'Such a tree was made to do harm, and only the history it came from has all of it.',
    })
  }

  /** Raw tag objects of a ref, from its name inward. */
  #tagsOf({ kind, name, seq, stream, value: { version, gitTags = [], message } }: Ref): readonly Uint8Array[] {
    if (kind !== 't' || message === undefined || version === undefined || gitTags.length > 0) return gitTags
    const tagger = this.#stored.holderOf({ seq, stream }).author
    return [bornTag(name, hexOf(this.#commitAt(version)), tagger, message)]
  }

  #commitAt(version: Lseq): string {
    return this.#stored.commitOf(this.#stored.numberOf(version))
  }

  #idOfObject(object: { type: string; content: Uint8Array } | undefined): string {
    if (object === undefined) throw new CodedError('BAD_RECORD', 'A branch or tag names nothing.')
    return this.#idOf(object.type, object.content)
  }

  #idOf(type: string, bytes: Uint8Array): string {
    return gitObjectId(type, bytes, this.#target.hashLength)
  }

  /**
   * Adds the object that a tag names.
   *
   * @throws {CodedError} `GIT_OBJECT_MISSING` for a tree of which more is needed than was imported.
   */
  async #object({ type, content }: { type: string; content: Uint8Array }): Promise<void> {
    if (type === 'tree') {
      const needed = (parseTree(content, this.#target.hashLength) ?? []).filter(({ mode }) => !isLink(mode))
      const missing = await this.#missing(needed.map(({ id }) => id))
      if (missing !== undefined) {
        throw new CodedError(
          'GIT_OBJECT_MISSING',
          `A tag names a tree that holds ${missing}, which is in no version.`,
          {
            hint: 'Only the tree itself was imported: fetch the tag from where it came from.',
          },
        )
      }
    }
    this.#pack.add(type as ObjectType, this.#idOf(type, content), content)
  }

  /** The first of these objects, hex, that is neither in the pack nor in the target. */
  async #missing(ids: readonly string[]): Promise<string | undefined> {
    const rest = ids.filter((id) => !this.#pack.has(id) && !this.#plan.known.has(id)).map(hexOf)
    if (rest.length === 0) return undefined
    const answers = (
      await runGit(this.#target.gitDir, ['cat-file', '--batch-check'], `${rest.join('\n')}\n`)
    ).toString()
    return /^([0-9a-f]+) missing$/m.exec(answers)?.[1]
  }
}

const NONE: ReadonlySet<string> = new Set()

function isLink(mode: string): boolean {
  const bits = Number.parseInt(mode, 8)
  return !isDirectory(bits) && (bits & 0o170000) === 0o160000
}

function lseqOf({ last, stream }: Version): Lseq {
  return { seq: last, stream }
}

function hexOf(id: string): string {
  return toHex(fromLatin1(id))
}
