/**
 * Merging in a work tree: what is committed at once, what is left for somebody to decide, and how it is decided.
 * @module
 */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  commit,
  initRepository,
  listConflicts,
  type MergeReport,
  merge,
  Repository,
  resolveConflicts,
  switchTo,
  undo,
  Worktree,
} from '../src/index.js'
import { nowhere } from './support/temp.js'
import { HOME, weft, weftJson } from './support/weft.js'

const ada = { name: 'Ada', email: 'ada@example.com' }
const ben = { name: 'Ben', email: 'ben@example.com' }

/** A file's content, undefined for a file that is deleted. */
type Files = Readonly<Record<string, string | undefined>>

/** A repository with two branches that went apart, standing on the left one. */
class Fork implements AsyncDisposable {
  readonly repo: Repository
  readonly work: Worktree
  readonly root: string

  private constructor(repo: Repository, work: Worktree) {
    this.repo = repo
    this.work = work
    this.root = repo.root
  }

  static async make(base: Files, left: Files, right: Files): Promise<Fork> {
    const root = nowhere('merge')
    await initRepository(root, 'left', { home: HOME })
    const repo = await Repository.open(root, { home: HOME })
    const fork = new Fork(repo, await Worktree.open(repo))
    await fork.change(base, 'base', ada)
    await switchTo(fork.work, { create: 'right' })
    await fork.change(right, 'right', ben)
    await switchTo(fork.work, { to: 'left' })
    await fork.change(left, 'left', ada)
    return fork
  }

  async change(files: Files, message: string, author = ada): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      rmSync(join(this.root, path), { force: true })
      if (content !== undefined) writeFileSync(join(this.root, path), content)
    }
    await commit(this.work, { message, author })
  }

  merge(version = 'right', options: { squash?: boolean; noForward?: boolean } = {}): Promise<MergeReport> {
    return merge(this.work, { version, author: ada, ...options })
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8')
  }

  blame(path: string): Promise<string[]> {
    return this.repo.blame(path).then(({ lines }) => lines.map(({ author, text }) => `${author.name} ${text}`))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    assert.deepEqual((await this.repo.verify()).damage, [])
    await this.repo[Symbol.asyncDispose]()
  }
}

const lines = (text: string): string => `${text.split(' ').join('\n')}\n`

describe('merge in a work tree', () => {
  it('joins what both sides did, and says so in one version', async () => {
    await using fork = await Fork.make(
      { f: lines('a b c d e f') },
      { f: lines('A b c d e f') },
      { f: lines('a b c d e F') },
    )
    const report = await fork.merge()
    assert.equal(report.kind, 'merged')
    assert.equal(fork.read('f'), lines('A b c d e F'))
    assert.deepEqual(await fork.blame('f'), ['Ada A', 'Ada b', 'Ada c', 'Ada d', 'Ada e', 'Ben F'])
    assert.equal((await fork.merge()).kind, 'already')
    await undo(fork.work)
    assert.equal(fork.read('f'), lines('A b c d e f'))
  })

  it('puts a change into the copy it was made in', async () => {
    await using fork = await Fork.make(
      { f: lines('A B C D E') },
      { f: lines('G G G A B C D E') },
      { f: lines('A B X D E') },
    )
    await fork.change({ f: lines('A B C D E G G G A B C D E') }, 'a copy before')
    assert.equal((await fork.merge()).kind, 'merged')
    assert.equal(fork.read('f'), lines('A B C D E G G G A B X D E'))
  })

  it('moves a branch that has nothing of its own, or makes a version where it is told to', async () => {
    await using fork = await Fork.make({ f: 'one\n' }, { g: 'left\n' }, { f: 'two\n' })
    await fork.merge()
    const head = fork.work.head.version
    await switchTo(fork.work, { to: 'right' })
    const report = await fork.merge('left')
    assert.deepEqual([report.kind, report.version], ['forward', head])
    await undo(fork.work)
    const made = await fork.merge('left', { noForward: true })
    assert.equal(made.kind, 'merged')
    assert.notEqual(made.version, head)
  })

  it('shows a squashed merge as one version whose lines keep their authors', async () => {
    await using fork = await Fork.make({ f: lines('a b c') }, { g: 'mine\n' }, { f: lines('a b c d') })
    await fork.merge('right', { squash: true })
    const messages: string[] = []
    for await (const { message } of fork.repo.log()) messages.push(message)
    assert.deepEqual(messages, ['Merge right into left\n', 'left\n', 'base\n'])
    assert.deepEqual(await fork.blame('f'), ['Ada a', 'Ada b', 'Ada c', 'Ben d'])
    assert.equal((await fork.merge()).kind, 'already')
  })

  it('leaves both sides between markers, and takes either of them, or both', async () => {
    const answers = { ours: 'a\nleft\nc\n', theirs: 'a\nright\nc\n', union: 'a\nleft\nright\nc\n' }
    for (const take of ['ours', 'theirs', 'union'] as const) {
      await using fork = await Fork.make({ f: lines('a b c') }, { f: lines('a left c') }, { f: lines('a right c') })
      const { kind, conflicts } = await fork.merge()
      assert.equal(kind, 'conflicts')
      const [conflict] = conflicts
      assert.equal(conflict?.kind, 'content')
      const [region] = conflict?.regions ?? []
      assert.deepEqual([region?.base.text, region?.left.text, region?.right.text], ['b\n', 'left\n', 'right\n'])
      assert.deepEqual(
        region?.right.by.map(({ name }) => name),
        ['Ben'],
      )
      assert.deepEqual(region?.markers, { start: 2, base: 4, middle: 6, end: 8 })
      assert.match(
        fork.read('f'),
        /^a\n<<<<<<< left: [0-9a-f]{12} Ada\nleft\n\|{7} base\nb\n={7}\nright\n>>>>>>> right: [0-9a-f]{12} Ben\nc\n$/,
      )
      await assert.rejects(commit(fork.work, { message: '', author: ada }), { code: 'CONFLICTS_LEFT' })
      await assert.rejects(resolveConflicts(fork.work, {}), { code: 'MARKERS_LEFT' })
      await assert.rejects(switchTo(fork.work, { to: 'right' }), { code: 'MERGE_UNDER_WAY' })
      const { left } = await resolveConflicts(fork.work, { take })
      assert.deepEqual(left, [])
      assert.equal(fork.read('f'), answers[take])
      const { parents, subject } = await commit(fork.work, { message: '', author: ada })
      assert.deepEqual([parents.length, subject], [2, 'Merge right into left'])
      assert.equal((await fork.merge()).kind, 'already')
    }
  })

  it('takes an answer that was written by hand', async () => {
    await using fork = await Fork.make({ f: lines('a b c') }, { f: lines('a left c') }, { f: lines('a right c') })
    await fork.merge()
    writeFileSync(join(fork.root, 'f'), lines('a both c'))
    await resolveConflicts(fork.work, { paths: ['f'] })
    await commit(fork.work, { message: '', author: ada })
    assert.equal(fork.read('f'), lines('a both c'))
  })

  it('lets a file that holds markers of its own alone', async () => {
    const marked = '<<<<<<< left\nx\n=======\ny\n>>>>>>> right\n'
    await using fork = await Fork.make({ f: `${marked}b\n` }, { f: `${marked}left\n` }, { f: `${marked}right\n` })
    await fork.merge()
    assert.ok(fork.read('f').startsWith(`${marked}<<<<<<<<`))
    await resolveConflicts(fork.work, { take: 'theirs' })
    await commit(fork.work, { message: '', author: ada })
    assert.equal(fork.read('f'), `${marked}right\n`)
  })

  it('has words of its own for conflicts of whole files, and takes either side of them', async () => {
    const cases: [
      name: string,
      base: Files,
      left: Files,
      right: Files,
      kind: string,
      path: string,
      ours: Files,
      theirs: Files,
    ][] = [
      ['edit/delete', { f: 'x\n' }, { f: 'y\n' }, { f: undefined }, 'edit/delete', 'f', { f: 'y\n' }, { f: undefined }],
      ['delete/edit', { f: 'x\n' }, { f: undefined }, { f: 'y\n' }, 'edit/delete', 'f', { f: undefined }, { f: 'y\n' }],
      ['binary', { f: '\0a' }, { f: '\0b' }, { f: '\0c' }, 'binary', 'f', { f: '\0b' }, { f: '\0c' }],
      [
        'rename/rename',
        { f: lines('a b c d') },
        { f: undefined, l: lines('a b c d') },
        { f: undefined, r: lines('a b c d') },
        'rename/rename',
        'l',
        { l: lines('a b c d'), r: undefined },
        { l: undefined, r: lines('a b c d') },
      ],
      [
        'rename/delete',
        { f: lines('a b c d') },
        { f: undefined, l: lines('a b c d') },
        { f: undefined },
        'rename/delete',
        'l',
        { l: lines('a b c d') },
        { l: undefined },
      ],
    ]
    for (const [name, base, left, right, kind, path, ours, theirs] of cases) {
      for (const [take, after] of [
        ['ours', ours],
        ['theirs', theirs],
      ] as const) {
        await using fork = await Fork.make({ ...base, other: 'o\n' }, left, right)
        const { conflicts } = await fork.merge()
        assert.deepEqual(
          conflicts.map((one) => [one.kind, one.path]),
          [[kind, path]],
          name,
        )
        await resolveConflicts(fork.work, { take })
        for (const [at, content] of Object.entries(after)) {
          assert.equal(existsSync(join(fork.root, at)) ? fork.read(at) : undefined, content, `${name}, ${take}, ${at}`)
        }
        await commit(fork.work, { message: '', author: ada })
        assert.equal((await fork.merge()).kind, 'already', name)
      }
    }
  })

  it('carries unsaved changes along, and refuses where they would be lost', async () => {
    await using fork = await Fork.make({ f: 'f\n', g: 'g\n' }, { l: 'l\n' }, { f: 'changed\n' })
    writeFileSync(join(fork.root, 'f'), 'unsaved\n')
    await assert.rejects(fork.merge(), { code: 'WOULD_LOSE' })
    writeFileSync(join(fork.root, 'f'), 'f\n')
    writeFileSync(join(fork.root, 'g'), 'unsaved\n')
    chmodSync(join(fork.root, 'g'), 0o755)
    symlinkSync('g', join(fork.root, 'new'))
    const { carried } = await fork.merge()
    assert.deepEqual(carried, ['g', 'new'])
    assert.deepEqual([fork.read('f'), fork.read('g')], ['changed\n', 'unsaved\n'])
  })

  it('commits conflicts as they are, and whoever has that version knows of them', async () => {
    await using fork = await Fork.make({ f: lines('a b c') }, { f: lines('a left c') }, { f: lines('a right c') })
    await fork.merge()
    await commit(fork.work, { message: '', author: ada, withConflicts: true })
    assert.equal(listConflicts(fork.work).length, 1)
    await switchTo(fork.work, { to: 'right' })
    assert.equal(listConflicts(fork.work).length, 0)
    await switchTo(fork.work, { to: 'left' })
    assert.equal(listConflicts(fork.work)[0]?.path, 'f')
    await resolveConflicts(fork.work, { take: 'ours' })
    await commit(fork.work, { message: 'settled', author: ada })
    assert.equal(fork.read('f'), lines('a left c'))
    assert.equal(listConflicts(fork.work).length, 0)
  })

  it('tells names and lines as text, whatever letters are in them', async () => {
    await using fork = await Fork.make({ 'ä.txt': 'a\nb\n' }, { 'ä.txt': 'ö\nb\n' }, { 'ä.txt': 'ü\nb\n' })
    const { conflicts } = await fork.merge()
    assert.deepEqual(
      conflicts.map(({ path, regions: [region] }) => [path, region?.left.text, region?.right.text]),
      [['ä.txt', 'ö\n', 'ü\n']],
    )
    assert.equal(listConflicts(fork.work)[0]?.path, 'ä.txt')
    assert.deepEqual((await resolveConflicts(fork.work, { take: 'theirs' })).resolved, ['ä.txt'])
  })

  it('is a command that says what to do next', async () => {
    const fork = await Fork.make({ f: lines('a b c') }, { f: lines('a left c') }, { f: lines('a right c') })
    await fork[Symbol.asyncDispose]()
    const env = { WEFT_AUTHOR_NAME: 'Ada', WEFT_AUTHOR_EMAIL: 'ada@example.com' }
    const run = (...args: string[]) => weft(['-C', fork.root, ...args], { env })
    const merged = await run('merge', 'right')
    assert.equal(merged.status, 1)
    assert.match(
      merged.stdout.toString(),
      /Merging right left 1 conflict; 1 file changed\.\n {2}conflict f: both sides changed the same lines, line 2\n/,
    )
    assert.match(
      (await run('resolve', '--list')).stdout.toString(),
      /ours: [0-9a-f]{12} Ada\n {4}theirs: [0-9a-f]{12} Ben/,
    )
    assert.match((await run('resolve')).stderr, /There are conflict markers left in f\./)
    assert.match(
      (await run('resolve', 'f', '--theirs')).stdout.toString(),
      /Resolved: f\.\nNo conflicts are left: weft commit\./,
    )
    assert.match((await run('commit')).stdout.toString(), /^left [0-9a-f]{12} Merge right into left\n {2}modified f\n/)
    assert.equal((await weftJson<MergeReport>(['-C', fork.root, 'merge', 'right'], { env })).kind, 'already')
    assert.match((await run('merge')).stderr, /NOTHING|one head only/)
  })
})
