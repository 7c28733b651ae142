/**
 * Versions made one at a time: random branches, merges, renames and deletions read back as they were meant, and verify.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeUtf8, fromLatin1, toLatin1 } from '../src/base/bytes.js'
import type { ComposeWrite } from '../src/history/compose.js'
import type { VersionRef } from '../src/history/header.js'
import { Repository } from '../src/index.js'
import type { Lseq } from '../src/lseq/lseq.js'
import { authorVersion } from '../src/repo/author.js'
import { random } from './support/random.js'
import { nowhere } from './support/temp.js'
import { putMade, writerIn } from './support/writing.js'

const chance = random('authored versions')

/** A file of the model: which one it is, and what is in it. */
interface ModelFile {
  readonly mode: number
  readonly file: Lseq
  readonly content: string
}

interface ModelVersion {
  readonly ref: VersionRef
  readonly files: ReadonlyMap<string, ModelFile>
}

const IDENT = { name: encodeUtf8('Ada'), email: encodeUtf8('ada@example.com'), time: 1_700_000_000, zone: 60 }

/** Some lines, few of them different, so that there is much to confuse; sometimes bytes that are no text. */
function someContent(): string {
  if (chance.below(12) === 0) return `\0${'x'.repeat(chance.below(9000))}`
  const lines = Array.from({ length: chance.below(12) }, () => `line ${chance.below(6)}\n`)
  return lines.join('') + (chance.below(6) === 0 ? 'no newline' : '')
}

function edited(content: string): string {
  if (chance.below(8) === 0) return someContent()
  const lines = content.split(/(?<=\n)/)
  lines.splice(
    chance.below(lines.length + 1),
    chance.below(3),
    ...someContent()
      .split(/(?<=\n)/)
      .slice(0, 3),
  )
  return lines.join('')
}

const PATHS = ['a', 'b', 'dir/c', 'dir/d', 'dir/deep/e', 'z-f']

/** Changes to a state, as writes and as what they come to. */
function change(files: ReadonlyMap<string, ModelFile>): {
  writes: ComposeWrite[]
  after: Map<string, ModelFile | string>
} {
  const after = new Map<string, ModelFile | string>(files)
  const writes = new Map<string, ComposeWrite>()
  const put = (path: string, mode: number, file: Lseq | undefined, content: string) => {
    writes.set(path, { path, put: { mode, file, content: async () => fromLatin1(content) } })
    after.set(path, file === undefined ? content : { mode, file, content })
  }
  for (let i = 0; i <= chance.below(3); i++) {
    const path = PATHS[chance.below(PATHS.length)] as string
    if (writes.has(path)) continue
    const old = files.get(path)
    const to = PATHS[chance.below(PATHS.length)] as string
    if (old === undefined) put(path, 0o100644, undefined, someContent())
    else if (chance.below(5) === 0) {
      writes.set(path, { path, deleted: old.file })
      after.delete(path)
      if (!files.has(to) && !writes.has(to) && chance.below(2) === 0) put(to, old.mode, old.file, edited(old.content))
    } else
      put(
        path,
        chance.below(9) === 0 ? 0o100755 : old.mode,
        old.file,
        chance.below(9) === 0 ? old.content : edited(old.content),
      )
  }
  return { writes: [...writes.values()], after }
}

/** What a merge of two states comes to here: some of one, some of the other, each file once. */
function mixed(
  left: ReadonlyMap<string, ModelFile>,
  right: ReadonlyMap<string, ModelFile>,
): { writes: ComposeWrite[]; after: Map<string, ModelFile> } {
  const after = new Map<string, ModelFile>()
  const used = new Set<string>()
  for (const path of PATHS) {
    const [x, y] = chance.below(2) === 0 ? [left.get(path), right.get(path)] : [right.get(path), left.get(path)]
    const found = [x, y].find((one) => one !== undefined && !used.has(`${one.file.stream}-${one.file.seq}`))
    if (found === undefined || chance.below(10) === 0) continue
    used.add(`${found.file.stream}-${found.file.seq}`)
    const content = x !== undefined && y !== undefined && chance.below(2) === 0 ? x.content + y.content : found.content
    after.set(path, { ...found, content })
  }
  const writes: ComposeWrite[] = []
  for (const path of PATHS) {
    const old = left.get(path)
    const now = after.get(path)
    if (
      now !== undefined &&
      (old === undefined || old.content !== now.content || old.file !== now.file || old.mode !== now.mode)
    ) {
      const { mode, file, content } = now
      writes.push({ path, put: { mode, file, content: async () => fromLatin1(content) } })
    } else if (now === undefined && old !== undefined) writes.push({ path, deleted: old.file })
  }
  return { writes, after }
}

describe('versions made one at a time', () => {
  for (let round = 1; round <= 4; round++) {
    it(`read back as they were meant, and verify: ${round}`, async () => {
      const said = `seed ${chance.seed}, round ${round}`
      await using repo = await Repository.openOrCreate(nowhere('author'))
      const { entries, versions } = repo
      const made: ModelVersion[] = []
      for (let n = 0; n < 40; n++) {
        const parents: ModelVersion[] = []
        const pick = () => made[Math.max(0, made.length - 1 - chance.below(6))] as ModelVersion
        if (made.length > 0 && chance.below(20) > 0) parents.push(pick())
        const other = chance.below(3) === 0 && parents.length > 0 ? pick() : undefined
        if (other !== undefined && other !== parents[0]) {
          const [x, y] = [await versions.vectorOf((parents[0] as ModelVersion).ref), await versions.vectorOf(other.ref)]
          if (!x.includes(y) && !y.includes(x)) parents.push(other)
        }
        const left = parents[0]?.files ?? new Map<string, ModelFile>()
        const { writes, after } = parents[1] === undefined ? change(left) : mixed(left, parents[1].files)
        const {
          ref,
          entries: added,
          puts,
        } = await authorVersion(
          { entries, versions, ...(await writerIn(repo)) },
          {
            parents: parents.map((parent) => parent.ref),
            writes,
            author: IDENT,
            committer: IDENT,
            message: encodeUtf8(`v${n}`),
          },
        )
        await putMade(repo, added)
        const files = new Map<string, ModelFile>()
        for (const [path, file] of after) {
          files.set(
            path,
            typeof file === 'string' ? { mode: 0o100644, file: puts.get(path)?.file as Lseq, content: file } : file,
          )
        }
        made.push({ ref, files })
        if (n === 20) await entries.fold()
      }
      for (const { ref, files } of made) {
        const at = Buffer.from(ref.id).toString('hex')
        const listed = await repo.list({ at })
        assert.deepEqual(
          listed.map(({ path }) => path),
          [...files.keys()].sort(),
          `paths at ${at}, ${said}`,
        )
        for (const [path, { content }] of files) {
          assert.equal(toLatin1(await repo.read(path, { at })), content, `${path} at ${at}, ${said}`)
        }
      }
      const { damage } = await repo.verify()
      assert.deepEqual(damage, [], said)
    })
  }
})
