/**
 * Reading patches and placing their hunks: what fits, what is refused and why.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromLatin1, toLatin1 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { applyPatch, type PatchFile, type PatchOutcome } from '../src/worktree/patch-apply.js'
import { parsePatchText, reversePatch } from '../src/worktree/patch-text.js'

type Files = Readonly<Record<string, string>>

async function outcomeOf(files: Files, patch: string, { reverse = false, strip = 1 } = {}): Promise<PatchOutcome> {
  const parsed = await parsePatchText(fromLatin1(patch), strip)
  const read = (path: string): PatchFile | undefined => {
    const text = files[path]
    if (text === undefined) return undefined
    return { mode: path.startsWith('link') ? 0o120000 : 0o100644, bytes: fromLatin1(text) }
  }
  return applyPatch(reverse ? reversePatch(parsed) : parsed, read)
}

/** The files that a patch changes; undefined for those that go. */
async function applied(files: Files, patch: string, options = {}): Promise<Record<string, string | undefined>> {
  const { paths } = await outcomeOf(files, patch, options)
  return Object.fromEntries(paths.map(({ path, after }) => [path, after && toLatin1(after.bytes)]))
}

/** The lines `1` to `n`, with some replaced. */
function numbered(n: number, replaced: Record<number, string> = {}): string {
  return Array.from({ length: n }, (_, i) => `${replaced[i + 1] ?? `line ${i + 1}`}\n`).join('')
}

const HEAD = '--- a/f\n+++ b/f\n'
const TEN = `${HEAD}@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-line 10\n+ten\n line 11\n line 12\n line 13\n`

describe('a hunk', () => {
  it('is put where it says', async () => {
    assert.deepEqual(await applied({ f: numbered(20) }, TEN), { f: numbered(20, { 10: 'ten' }) })
  })

  it('follows its lines, and says so', async () => {
    const { paths, moved } = await outcomeOf({ f: `new\nnew\n${numbered(20)}` }, TEN)
    assert.equal(toLatin1(paths[0]?.after?.bytes as Uint8Array), `new\nnew\n${numbered(20, { 10: 'ten' })}`)
    assert.deepEqual(moved, [{ path: 'f', hunk: 1, line: 9, offset: 2, fuzz: 0 }])
  })

  it('takes those behind it along', async () => {
    const second = '@@ -17,3 +17,3 @@\n same\n-old\n+new\n same\n'
    const block = 'same\nold\nsame\n'
    const file = `x\n${numbered(16)}${block}${block}`
    // Of the two blocks the one that is as far down as the hunk before it was found.
    assert.deepEqual(await applied({ f: file }, TEN + second), {
      f: `x\n${numbered(16, { 10: 'ten' })}same\nnew\nsame\n${block}`,
    })
  })

  it('is put although the outermost lines around it are others', async () => {
    const { paths, moved } = await outcomeOf({ f: numbered(20, { 7: 'seven', 13: 'thirteen' }) }, TEN)
    assert.equal(
      toLatin1(paths[0]?.after?.bytes as Uint8Array),
      numbered(20, { 7: 'seven', 10: 'ten', 13: 'thirteen' }),
    )
    assert.deepEqual(moved, [{ path: 'f', hunk: 1, line: 8, offset: 0, fuzz: 1 }])
  })

  it('at the end of a file is not put elsewhere', async () => {
    const end = `${HEAD}@@ -2,2 +2,3 @@\n b\n c\n+d\n`
    assert.deepEqual(await applied({ f: 'a\nb\nc\n' }, end), { f: 'a\nb\nc\nd\n' })
    assert.deepEqual(await applied({ f: 'b\nc\na\nb\nc\n' }, end), { f: 'b\nc\na\nb\nc\nd\n' })
  })

  it('without lines around it is put where it says, or nowhere', async () => {
    const bare = `${HEAD}@@ -1,0 +2,1 @@\n+new\n`
    assert.deepEqual(await applied({ f: 'a\nb\n' }, bare), { f: 'a\nnew\nb\n' })
    await assert.rejects(applied({ f: '' }, bare), { code: 'PATCH_REJECTED' })
  })

  it('keeps every byte: CRLF, no newline at the end, any encoding', async () => {
    const patch = `${HEAD}@@ -1,3 +1,3 @@\n a\r\n-\xff\r\n+\xfe\r\n c\n\\ No newline at end of file\n`
    assert.deepEqual(await applied({ f: 'a\r\n\xff\r\nc' }, patch), { f: 'a\r\n\xfe\r\nc' })
    await assert.rejects(applied({ f: 'a\n\xff\nc' }, patch), { code: 'PATCH_REJECTED' })
  })
})

describe('a patch is refused', () => {
  const block = 'if (x) {\n  y()\n}\n'
  const inBlock = `${HEAD}@@ -40,3 +40,3 @@\n if (x) {\n-  y()\n+  z()\n }\n`
  const cases: [name: string, files: Files, patch: string, code: string, said: RegExp][] = [
    ['where its lines are not there', { f: numbered(5) }, TEN, 'PATCH_REJECTED', /Hunk 1 of f \(line 3 of the patch\)/],
    ['where it fits twice', { f: `${block}\n${block}` }, inBlock, 'PATCH_REJECTED', /2 places, at lines 1, 5/],
    ['where the file is missing', {}, TEN, 'PATCH_REJECTED', /not there/],
    [
      'where it was applied already',
      { f: numbered(20, { 10: 'ten' }) },
      TEN,
      'PATCH_REJECTED',
      /seems to be applied already/,
    ],
    [
      'where a new file is there already',
      { n: 'x\n' },
      '--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+y\n',
      'PATCH_REJECTED',
      /there is one already/,
    ],
    [
      'where a deleted file has more lines',
      { n: 'x\ny\n' },
      'diff --git a/n b/n\ndeleted file mode 100644\n--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n',
      'PATCH_REJECTED',
      /does not/,
    ],
    [
      'where a link is and a file should be',
      { link: 'x' },
      'diff --git a/link b/link\nindex 0000..1111 100644\n--- a/link\n+++ b/link\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n',
      'PATCH_REJECTED',
      /symbolic link/,
    ],
    [
      'that holds no content',
      { f: 'x' },
      'diff --git a/f b/f\nBinary files a/f and b/f differ\n',
      'PATCH_REJECTED',
      /only says/,
    ],
    ['that leads out', {}, '--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+y\n', 'PATH_UNSAFE', /\.\./],
    ['that is for the repository', {}, '--- /dev/null\n+++ b/.weft/head\n@@ -0,0 +1 @@\n+y\n', 'PATH_UNSAFE', /\.weft/],
    ['that is empty', {}, '', 'PATCH_BAD', /no change/],
    ['that is something else', {}, 'Dear all,\n\nhello\n', 'PATCH_BAD', /no change/],
    ['that is cut off', { f: 'a\n' }, `${HEAD}@@ -1,3 +1,3 @@\n a\n-b\n`, 'PATCH_BAD', /line 3/],
    ['with a line too many', { f: 'a\n' }, `${HEAD}@@ -1 +1 @@\n-a\n+b\n+c\n`, 'PATCH_BAD', /line 3/],
    ['without numbers', { f: 'a\n' }, `${HEAD}@@ what @@\n-a\n+b\n`, 'PATCH_BAD', /line 3/],
    ['without a name', { f: 'a\n' }, '@@ -1 +1 @@\n-a\n+b\n', 'PATCH_BAD', /line 1/],
    ['with too short a name', { f: 'a\n' }, '--- f\n+++ f\n@@ -1 +1 @@\n-a\n+b\n', 'PATCH_BAD', /-p/],
    ['of a merge', { f: 'a\n' }, 'diff --cc f\n--- a/f\n+++ b/f\n@@@ -1,1 -1,1 +1,1 @@@\n--a\n++b\n', 'PATCH_BAD', /./],
  ]
  for (const [name, files, patch, code, said] of cases) {
    it(name, async () => {
      await assert.rejects(applied({ ...files }, patch), (error) => {
        assert.ok(error instanceof CodedError, String(error))
        assert.equal(error.code, code, error.message)
        assert.match(error.message, said)
        return true
      })
    })
  }

  it('as a whole, naming all that is wrong', async () => {
    const other = TEN.replaceAll('/f\n', '/g\n')
    await assert.rejects(applied({ f: numbered(20), g: 'x\n' }, TEN + other), (error: CodedError) => {
      assert.deepEqual(error.data, {
        rejected: [{ path: 'g', line: 14, hunk: 1, reason: 'its lines are not in the file' }],
      })
      return true
    })
  })
})

describe('a patch of files', () => {
  it('lets two change their names', async () => {
    const rename = (from: string, to: string): string =>
      `diff --git a/${from} b/${to}\nsimilarity index 100%\nrename from ${from}\nrename to ${to}\n`
    const patch = rename('a', 'b') + rename('b', 'a')
    assert.deepEqual(await applied({ a: 'A', b: 'B' }, patch), { a: 'B', b: 'A' })
    const three = rename('a', 'b') + rename('b', 'c') + rename('c', 'a')
    assert.deepEqual(await applied({ a: 'A', b: 'B', c: 'C' }, three), { a: 'C', b: 'A', c: 'B' })
    assert.deepEqual(await applied({ a: 'C', b: 'A', c: 'B' }, three, { reverse: true }), { a: 'A', b: 'B', c: 'C' })
  })

  it('goes on from one patch to the next', async () => {
    const step = (from: string, to: string): string => `${HEAD}@@ -1 +1 @@\n-${from}\n+${to}\n`
    assert.deepEqual(await applied({ f: '1\n' }, step('1', '2') + step('2', '3')), { f: '3\n' })
    const rename = 'diff --git a/f b/g\nrename from f\nrename to g\n'
    assert.deepEqual(await applied({ f: '1\n' }, step('1', '2') + rename), { f: undefined, g: '2\n' })
    const birth = '--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+1\n'
    assert.deepEqual(await applied({}, birth + step('1', '2') + rename), { g: '2\n' })
  })

  it('may be what git format-patch writes', async () => {
    const mail = `From 0123 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] x\n\n---\n f | 2 +-\n 1 file changed\n\ndiff --git a/f b/f\nindex 123..456 100644\n${HEAD}@@ -1 +1 @@ fn()\n-1\n+2\n-- \n2.39.5\n\n`
    assert.deepEqual(await applied({ f: '1\n' }, mail + mail.replace('-1\n+2\n', '-2\n+3\n')), { f: '3\n' })
  })

  it('may be what diff writes, with times and names of backups', async () => {
    const plain = '--- f.orig\t2024-01-01 10:00:00.000000000 +0100\n+++ f\t2024-01-02 10:00:00.000000000 +0100\n'
    assert.deepEqual(await applied({ f: '1\n' }, `${plain}@@ -1 +1 @@\n-1\n+2\n`, { strip: 0 }), { f: '2\n' })
    const birth = '--- old/n\t1970-01-01 01:00:00.000000000 +0100\n+++ new/n\t2024-01-02 10:00:00.000000000 +0100\n'
    assert.deepEqual(await applied({}, `${birth}@@ -0,0 +1 @@\n+x\n`), { n: 'x\n' })
  })

  it('has names in quotes, and is stripped of as many parts as one says', async () => {
    const patch = '--- "x/y/caf\\351"\n+++ "x/y/caf\\351"\n@@ -1 +1 @@\n-1\n+2\n'
    assert.deepEqual(await applied({ 'caf\xe9': '1\n' }, patch, { strip: 2 }), { 'caf\xe9': '2\n' })
    assert.deepEqual(await applied({ 'x/y/caf\xe9': '1\n' }, patch, { strip: 0 }), { 'x/y/caf\xe9': '2\n' })
  })

  it('may have its own lines ended by CRLF', async () => {
    const patch = `diff --git a/f b/f\n${HEAD}`.replaceAll('\n', '\r\n')
    assert.deepEqual(await applied({ f: '1\r\n' }, `${patch}@@ -1 +1 @@\r\n-1\r\n+2\r\n`), { f: '2\r\n' })
  })
})
