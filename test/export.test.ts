/**
 * Export: what came from git goes back with the same ids, and what was made here becomes ordinary commits.
 * @module
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { encodeUtf8, fromLatin1, toHex } from '../src/base/bytes.js'
import { exportedEntry } from '../src/git/exported.js'
import type { ComposeWrite } from '../src/history/compose.js'
import type { VersionRef } from '../src/history/header.js'
import { refEntries } from '../src/history/ref-log.js'
import { readRefs } from '../src/history/refs.js'
import { type ExportReport, importGit, openIdentity, Repository } from '../src/index.js'
import { authorVersion, type NewVersion } from '../src/repo/author.js'
import { fixture } from './support/corpus.js'
import { complaints, expectClean, exported, refsOf } from './support/exported.js'
import { git } from './support/git.js'
import { importedFrom } from './support/imported.js'
import { nowhere, temporary } from './support/temp.js'
import { HOME, weft, weftFails } from './support/weft.js'
import { putMade, writerIn } from './support/writing.js'

const IDENT = { name: encodeUtf8('Ada'), email: encodeUtf8('ada@example.com'), time: 1_700_000_000, zone: 90 }

/** Writes text files. */
function texts(files: Record<string, string>): ComposeWrite[] {
  return Object.entries(files).map(([path, text]) => ({
    path,
    put: { mode: 0o100644, file: undefined, content: async () => fromLatin1(text) },
  }))
}

/** Makes a version and sets a branch to it. */
async function make(dir: string, branch: string, version: Partial<NewVersion>, replace = true): Promise<VersionRef> {
  await using repo = await Repository.openOrCreate(dir)
  const { entries, versions } = repo
  const writer = await writerIn(repo)
  const heads = (await readRefs(entries)).filter(({ kind, name }) => kind === 'b' && name === branch)
  const parents = version.parents ?? heads.flatMap(({ value }) => value.version ?? [])
  const made = await authorVersion(
    { entries, versions, ...writer },
    { writes: [], author: IDENT, committer: IDENT, message: encodeUtf8('a change'), ...version, parents },
  )
  await putMade(repo, made.entries)
  const value = { replaces: replace ? heads : [], version: made.ref }
  const moved = await refEntries(entries, [{ kind: 'b', name: branch, value }], {
    ...(await writerIn(repo)),
    ident: IDENT,
    message: '',
  })
  await putMade(repo, moved)
  return made.ref
}

/** A work tree of git with an identity. */
function cloned(from: string): string {
  const dir = nowhere('clone')
  git('.', ['clone', '-q', from, dir])
  git(dir, ['config', 'user.name', 'Grace'])
  git(dir, ['config', 'user.email', 'grace@example.com'])
  return dir
}

function commitIn(dir: string, path: string, text: string, message = 'in git'): string {
  writeFileSync(join(dir, path), text)
  git(dir, ['add', '-A'])
  git(dir, ['commit', '-q', '-m', message])
  return git(dir, ['rev-parse', 'HEAD']).toString().trim()
}

async function reimport(source: string, dir: string) {
  return importGit({ source, dir, identity: await openIdentity(HOME), check: true })
}

describe('export of what was imported', () => {
  for (const name of ['small', 'badmerge', 'odd-trees', 'oddities', 'hostile']) {
    it(`gives back every id: ${name}`, async () => {
      const { dir, mirror } = await importedFrom(fixture(name))
      const target = nowhere('out.git')
      const report = await exported(dir, target)
      const wanted = refsOf(mirror.dir)
      const refused = report.refused.map(({ ref }) => ref)
      assert.deepEqual(
        refsOf(target),
        wanted.filter((line) => !refused.some((ref) => line.endsWith(` ${ref}`))),
      )
      if (refused.length === 0) {
        const counts = (where: string) => git(where, ['rev-list', '--objects', '--all', '--count']).toString()
        assert.equal(counts(target), counts(mirror.dir))
        assert.deepEqual(complaints(target), complaints(mirror.dir))
      }
      assert.equal(report.commits, mirror.commits('--branches', '--tags').length - (name === 'hostile' ? 1 : 0))
      const again = await exported(dir, target)
      assert.deepEqual([again.commits, again.objects, again.refs, again.bytes], [0, 0, 0, 0])
    })
  }

  it('is checked out, on the current branch, and clean', async () => {
    const { dir } = await importedFrom(fixture('small'))
    const target = nowhere('out')
    await exported(dir, target, false)
    assert.equal(git(target, ['status', '--porcelain']).toString(), '')
    await using repo = await Repository.open(dir)
    assert.equal(git(target, ['symbolic-ref', '--short', 'HEAD']).toString().trim(), (await repo.head()).branch)
    assert.ok(git(target, ['ls-files']).toString().split('\n').length > 2)
  })

  it('adds only what is new', async () => {
    const source = cloned(fixture('small'))
    const { dir } = await importedFrom(source)
    const target = nowhere('out.git')
    await exported(dir, target)
    const id = commitIn(source, 'new file', 'one line\n')
    await reimport(source, dir)
    const report = await exported(dir, target)
    assert.deepEqual([report.commits, report.refs, report.refused], [1, 1, []])
    assert.equal(report.objects, 3, 'a commit, its tree and one content')
    assert.ok(refsOf(target).some((line) => line.startsWith(id)))
    expectClean(target)
  })
})

describe('export of what was made here', () => {
  it('gives ordinary commits, always the same ones', async () => {
    const dir = nowhere('born')
    await make(dir, 'main', { writes: texts({ a: 'one\ntwo\n', 'dir/b': 'three\n' }), message: encodeUtf8('first') })
    const first = await make(dir, 'main', {
      writes: texts({ 'dir/c': 'four' }),
      message: encodeUtf8('second\n\nbody\n'),
    })
    await make(dir, 'other', { parents: [first], writes: texts({ d: 'five\n' }) })
    const [one, two] = [nowhere('one.git'), nowhere('two.git')]
    const report = await exported(dir, one)
    assert.deepEqual([report.versions, report.commits, report.refs], [3, 3, 2])
    await exported(dir, two)
    assert.deepEqual(refsOf(one), refsOf(two))
    assert.equal(
      git(one, ['cat-file', 'commit', 'main~1'])
        .toString()
        .replace(/^tree .*\n/, ''),
      'author Ada <ada@example.com> 1700000000 +0130\ncommitter Ada <ada@example.com> 1700000000 +0130\n\nfirst\n',
    )
    assert.equal(git(one, ['log', '-1', '--format=%B', 'main']).toString().trim(), 'second\n\nbody')
    assert.equal(git(one, ['show', 'other:dir/c']).toString(), 'four')
    assert.equal(git(one, ['ls-tree', '-r', '--name-only', 'other']).toString(), 'a\nd\ndir/b\ndir/c\n')
    expectClean(one)
    // A replica that has no note of the export makes the same commits.
    const commit = git(one, ['rev-parse', 'main']).toString().trim()
    await using repo = await Repository.open(dir)
    assert.equal((await repo.show(commit)).id, toHex(first.id))
  })

  it('leaves out what git does not take in names and messages', async () => {
    const dir = nowhere('names')
    const author = { name: encodeUtf8(' <A\nda>, '), email: encodeUtf8('a<d>a@x\n'), time: -5, zone: 90_000 }
    await make(dir, 'main', { author, committer: { ...author, name: encodeUtf8('') }, message: fromLatin1('a\0b') })
    const target = nowhere('names.git')
    await exported(dir, target)
    expectClean(target)
    assert.equal(git(target, ['log', '--format=%an|%ae|%at|%cn|%s', 'main']).toString(), 'Ada|ada@x|0||ab\n')
  })

  it('makes annotated tags of tags that say something, and keeps its own', async () => {
    const dir = nowhere('tagged')
    const version = await make(dir, 'main', { writes: texts({ a: 'one\n' }) })
    {
      await using repo = await Repository.open(dir)
      const plain = { kind: 't' as const, name: 'plain', value: { replaces: [], version } }
      const said = { kind: 't' as const, name: 'v1', value: { replaces: [], version, message: encodeUtf8('First.\n') } }
      const author = { ...(await writerIn(repo)), ident: IDENT, message: '' }
      await putMade(repo, await refEntries(repo.entries, [plain, said], author))
    }
    const target = nowhere('tagged.git')
    assert.equal((await exported(dir, target)).refs, 3)
    const commit = git(target, ['rev-parse', 'main']).toString()
    assert.equal(git(target, ['rev-parse', 'plain']).toString(), commit)
    assert.equal(
      git(target, ['cat-file', 'tag', 'v1']).toString(),
      `object ${commit}type commit\ntag v1\ntagger Ada <ada@example.com> 1700000000 +0130\n\nFirst.\n`,
    )
    expectClean(target)
    assert.equal((await reimport(target, dir)).refs, 0)
    assert.equal((await exported(dir, target)).refs, 0)
  })

  it('has ids as long as those of the target', async () => {
    const dir = nowhere('long')
    await make(dir, 'main', { writes: texts({ a: 'one\n' }) })
    const [long, short] = [nowhere('long.git'), nowhere('short.git')]
    git('.', ['init', '-q', '--bare', '--object-format=sha256', long])
    for (const target of [long, short]) {
      assert.equal((await exported(dir, target)).commits, 1)
      expectClean(target)
      assert.equal((await reimport(target, dir)).versions, 0)
    }
    const { dir: other } = await importedFrom(fixture('small'))
    await assert.rejects(exported(other, long), { code: 'GIT_FORMAT' })
  })

  it('shows one parent of a squash, and its whole content', async () => {
    const dir = nowhere('squash')
    const base = await make(dir, 'main', { writes: texts({ a: 'one\n' }) })
    const side = await make(dir, 'side', { parents: [base], writes: texts({ b: 'two\n' }) })
    await make(dir, 'main', {
      parents: [base, side],
      writes: texts({ b: 'two\n' }),
      noteExtra: [{ name: 'squash', value: encodeUtf8('1') }],
    })
    {
      // Without a name of its own the side is not exported.
      await using repo = await Repository.open(dir)
      const heads = (await readRefs(repo.entries)).filter(({ name }) => name === 'side')
      const gone = [{ kind: 'b' as const, name: 'side', value: { replaces: heads } }]
      const author = { ...(await writerIn(repo)), ident: IDENT, message: '' }
      await putMade(repo, await refEntries(repo.entries, gone, author))
    }
    const target = nowhere('squash.git')
    const report = await exported(dir, target)
    assert.deepEqual([report.versions, report.commits], [2, 2])
    assert.equal(git(target, ['rev-list', '--parents', '-1', 'main']).toString().split(' ').length, 2)
    assert.equal(git(target, ['show', 'main:b']).toString(), 'two\n')
    expectClean(target)
    const later = await make(dir, 'main', { writes: texts({ c: 'three\n' }) })
    assert.equal((await exported(dir, target)).commits, 1, toHex(later.id))
    expectClean(target)
  })
})

describe('export into what is there', () => {
  it('refuses what is neither empty nor a git repository', async () => {
    const { dir } = await importedFrom(fixture('small'))
    const full = temporary('full')
    writeFileSync(join(full, 'mine'), 'mine')
    assert.equal((await weftFails(['git', 'export', '-C', dir, full])).code, 'DIR_NOT_EMPTY')
    assert.equal((await weftFails(['git', 'export', '-C', dir, join(full, 'mine')])).code, 'DIR_IS_FILE')
    assert.equal(readFileSync(join(full, 'mine'), 'utf8'), 'mine')
    const empty = temporary('empty')
    await exported(dir, empty, false)
    assert.equal(git(empty, ['status', '--porcelain']).toString(), '')
    const begun = temporary('begun')
    mkdirSync(join(begun, '.git', 'objects'), { recursive: true })
    await exported(dir, begun, false)
    assert.equal(git(begun, ['status', '--porcelain']).toString(), '')
  })

  it('keeps refs that are not here, and branches that moved on', async () => {
    const dir = nowhere('moved')
    await make(dir, 'main', { writes: texts({ a: 'one\n' }) })
    await make(dir, 'other', { writes: texts({ b: 'one\n' }) })
    const target = nowhere('moved')
    await exported(dir, target, false)
    git(target, ['config', 'user.name', 'Grace'])
    git(target, ['config', 'user.email', 'grace@example.com'])
    git(target, ['branch', 'theirs'])
    const id = commitIn(target, 'c', 'in git\n')
    await make(dir, 'main', { writes: texts({ d: 'here\n' }) })
    await make(dir, 'other', { writes: texts({ e: 'here\n' }) })
    const outcome = await weft(['git', 'export', '-C', dir, target, '--json'])
    assert.equal(outcome.status, 1)
    const report = JSON.parse(outcome.stdout.toString()) as ExportReport
    assert.deepEqual(
      report.refused.map(({ ref, code }) => [ref, code]),
      [['refs/heads/main', 'GIT_NOT_FORWARD']],
    )
    assert.match(report.refused[0]?.hint ?? '', /weft git import/)
    assert.deepEqual([report.commits, report.refs], [1, 1])
    assert.equal(git(target, ['rev-parse', 'main']).toString().trim(), id)
    assert.ok(refsOf(target).some((line) => line.endsWith('refs/heads/theirs')))
    expectClean(target)
    const brought = await reimport(target, dir)
    assert.deepEqual([brought.versions, brought.diverged], [1, ['main']])
    const twice = await exported(dir, target)
    assert.deepEqual(
      twice.refused.map(({ ref, code }) => [ref, code]),
      [['refs/heads/main', 'BRANCH_DIVERGED']],
    )
    assert.match(twice.refused[0]?.hint ?? '', /weft merge/)
    const again = await reimport(target, dir)
    assert.deepEqual([again.versions, again.refs, again.diverged], [0, 0, ['main']])
  })

  it('does not take a branch back', async () => {
    const dir = nowhere('back')
    const first = await make(dir, 'main', { writes: texts({ a: 'one\n' }) })
    await make(dir, 'main', { writes: texts({ a: 'two\n' }) })
    const target = nowhere('back.git')
    await exported(dir, target)
    await make(dir, 'main', { parents: [first], writes: texts({ a: 'three\n' }) })
    const report = await exported(dir, target)
    assert.deepEqual(
      report.refused.map(({ code }) => code),
      ['GIT_NOT_FORWARD'],
    )
    assert.equal(report.commits, 0)
    expectClean(target)
  })

  it('does not set a tag anew, and knows names that git cannot have', async () => {
    const source = cloned(fixture('small'))
    git(source, ['tag', 'mine'])
    const { dir } = await importedFrom(source)
    const target = nowhere('tags.git')
    await exported(dir, target)
    git(target, ['tag', '-f', 'mine', 'HEAD~1'])
    await make(dir, 'no..name', { writes: texts({ a: 'x\n' }) })
    await make(dir, 'deep/er', { writes: texts({ a: 'x\n' }) })
    git(target, ['branch', 'deep'])
    const { refused } = await exported(dir, target)
    assert.deepEqual(refused.map(({ ref, code }) => `${ref} ${code}`).sort(), [
      'refs/heads/deep/er GIT_NAME_BAD',
      'refs/heads/no..name GIT_NAME_BAD',
      'refs/tags/mine GIT_TAG_DIFFERS',
    ])
  })

  it('keeps what was changed in the files there', async () => {
    const dir = nowhere('dirty')
    await make(dir, 'main', { writes: texts({ a: 'one\n', b: 'one\n' }) })
    const target = nowhere('dirty')
    await exported(dir, target, false)
    writeFileSync(join(target, 'a'), 'mine\n')
    await make(dir, 'main', { writes: texts({ b: 'two\n' }) })
    assert.deepEqual((await exported(dir, target)).refused, [], 'another file is changed')
    assert.equal(readFileSync(join(target, 'b'), 'utf8'), 'two\n')
    await make(dir, 'main', { writes: texts({ a: 'two\n' }) })
    const { refused } = await exported(dir, target)
    assert.deepEqual(
      refused.map(({ code }) => code),
      ['GIT_WORK_TREE'],
    )
    assert.equal(readFileSync(join(target, 'a'), 'utf8'), 'mine\n')
    git(target, ['checkout', '-q', '--', 'a'])
    assert.deepEqual((await exported(dir, target)).refused, [])
    assert.equal(git(target, ['status', '--porcelain']).toString(), '')
  })

  it('is believed by no import: what was noted is made again', async () => {
    const dir = nowhere('noted')
    const version = await make(dir, 'main', { writes: texts({ a: 'one\n' }) })
    const target = nowhere('noted')
    await exported(dir, target, false)
    git(target, ['config', 'user.name', 'Grace'])
    git(target, ['config', 'user.email', 'grace@example.com'])
    const theirs = commitIn(target, 'a', 'two\n')
    commitIn(target, 'b', 'three\n')
    {
      // As if that commit had been made of the version here.
      await using repo = await Repository.open(dir)
      await repo.entries.put([exportedEntry(Buffer.from(theirs, 'hex'), version)])
    }
    const identity = await openIdentity(HOME)
    await assert.rejects(importGit({ source: target, dir, identity }), { code: 'TREE_MISMATCH' })
  })

  it('knows commits that another replica made of the same versions', async () => {
    const dir = nowhere('here')
    await make(dir, 'main', { writes: texts({ a: 'one\n' }) })
    const other = nowhere('there')
    cpSync(dir, other, { recursive: true })
    const target = nowhere('both.git')
    await exported(dir, target)
    await make(other, 'main', { writes: texts({ b: 'two\n' }) })
    const report = await exported(other, target)
    assert.deepEqual([report.refused, report.refs], [[], 1])
    assert.equal(git(target, ['rev-list', '--count', 'main']).toString(), '2\n')
    expectClean(target)
  })
})
