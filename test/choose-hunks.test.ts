/**
 * Choosing hunks: what is asked, what the answers mean, and the contents that come of them.
 * @module
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8, toLatin1 } from '../src/base/bytes.js'
import { type Choice, chooseHunks, type Dialogue } from '../src/cli/choose-hunks.js'
import { PLAIN } from '../src/cli/style.js'
import { HUNK_FIELDS } from '../src/lines/hunk.js'
import type { ChangedContent } from '../src/repo/patch.js'
import { changesOfContents, contentWith, rangeAsHunk, shownRanges, splitRange } from '../src/worktree/hunks.js'
import { holds } from './support/property.js'

function side(path: string, text: string | undefined, mode = 0o100644) {
  if (text === undefined) return { side: undefined, bytes: new Uint8Array(0) }
  const bytes = encodeUtf8(text)
  const sha256 = createHash('sha256').update(bytes).digest()
  return { side: { path, entry: { mode, size: bytes.length, sha256 } }, bytes }
}

function changed(
  old: string | undefined,
  now: string | undefined,
  { from = 'f', mode = 0o100644 } = {},
): ChangedContent {
  const [a, b] = [side(from, old), side('f', now, mode)]
  return { before: a.side, after: b.side, old: a.bytes, now: b.bytes }
}

/** Gives the answers one after the other, and keeps what was said. */
class Script implements Dialogue {
  said = ''
  readonly #answers: string[]

  constructor(answers: string) {
    this.#answers = answers.split(' ')
  }

  print(text: string): void {
    this.said += text
  }

  async ask(prompt: string): Promise<string | undefined> {
    this.said += `${prompt}\n`
    return this.#answers.shift()
  }
}

async function choose(files: readonly ChangedContent[], answers: string): Promise<{ choices: Choice[]; said: string }> {
  const script = new Script(answers)
  return { choices: await chooseHunks(files, script, PLAIN), said: script.said }
}

/** A choice as a test can say it: `all`, `none`, or the content. */
function told(choice: Choice | undefined): string | undefined {
  return choice?.kind === 'part' ? toLatin1(choice.content) : choice?.kind
}

const OLD = 'a\n1\n2\n3\n4\n5\n6\n7\n8\n9\nb\nx\nc\n'
const NEW = 'A\n1\n2\n3\n4\n5\n6\n7\n8\n9\nB\nx\nC\n'

describe('answers', () => {
  const cases: [answers: string, want: string][] = [
    ['y y', 'all'],
    ['a', 'all'],
    ['n n', 'none'],
    ['d', 'none'],
    ['q', 'none'],
    ['y n', OLD.replace('a', 'A')],
    ['n y', NEW.replace('A', 'a')],
    ['y q', OLD.replace('a', 'A')],
    ['y', OLD.replace('a', 'A')],
    ['n s y n', OLD.replace('b', 'B')],
    ['n s n y', OLD.replace('c', 'C')],
    ['n s d', 'none'],
    ['j y n', NEW.replace('A', 'a')],
    ['j k y y', 'all'],
    ['k y n', NEW.replace('A', 'a')],
    ['what ? y Y', 'all'],
    ['s y y', 'all'],
  ]
  for (const [answers, want] of cases) {
    it(answers, async () => {
      const { choices } = await choose([changed(OLD, NEW)], answers)
      assert.deepEqual(choices.map(told), [want])
    })
  }

  it('are asked for with what they would be about', async () => {
    const { said } = await choose([changed(OLD, NEW)], 'y s n y')
    assert.match(
      said,
      /^diff --git a\/f b\/f\nindex .*\n--- a\/f\n\+\+\+ b\/f\n@@ -1,4 \+1,4 @@\n-a\n\+A\n 1\n 2\n 3\n/,
    )
    assert.match(said, /\n\(1\/2\) Commit this change \[y,n,q,a,d,j,k,\?\]\? \n@@ -8,6 \+8,6 @@\n/)
    assert.match(
      said,
      /\n\(2\/2\) Commit this change \[y,n,q,a,d,s,\?\]\? \nSplit into 2 changes\.\n@@ -8,6 \+8,6 @@\n 7\n/,
    )
    assert.match(said, /\n\(3\/3\) Commit this change \[y,n,q,a,d,\?\]\? \n$/)
  })

  it('that make no sense are met with help', async () => {
    const { said } = await choose([changed('a\n', 'b\n')], 'x s j y')
    assert.equal(said.match(/^y - take this change$/gm)?.length, 3)
  })

  it('go from file to file until there are enough', async () => {
    const files = [changed('a\n', 'b\n'), changed('a\n', 'b\n'), changed('a\n', 'b\n')]
    assert.deepEqual((await choose(files, 'y n y')).choices.map(told), ['all', 'none', 'all'])
    assert.deepEqual((await choose(files, 'y q')).choices.map(told), ['all', 'none', 'none'])
    assert.deepEqual((await choose(files, '')).choices.map(told), ['none', 'none', 'none'])
  })
})

describe('what is no text', () => {
  const cases: [name: string, file: ChangedContent, answers: string, want: string | undefined][] = [
    ['a new file', changed(undefined, 'x\n'), 'y', 'all'],
    ['a deleted file', changed('x\n', undefined), 'n', 'none'],
    ['a mode alone', changed('x\n', 'x\n', { mode: 0o100755 }), 'y', 'all'],
    ['a name alone', changed('x\n', 'x\n', { from: 'e' }), 'y', 'all'],
    ['a picture', { ...changed('x\n', '\0\n'), now: undefined }, 'y', 'all'],
    ['a mode, and not the lines', changed('x\n', 'y\n', { mode: 0o100755 }), 'y n', 'x\n'],
    ['a name, and not the lines', changed('x\n', 'y\n', { from: 'e' }), 'y n', 'x\n'],
    ['lines under a name that is not wanted', changed('x\n', 'y\n', { from: 'e' }), 'n', 'none'],
  ]
  for (const [name, file, answers, want] of cases) {
    it(name, async () => assert.deepEqual((await choose([file], answers)).choices.map(told), [want]))
  }

  it('tells whether the new mode is wanted', async () => {
    const file = changed('x\n', 'y\n', { mode: 0o100755 })
    const [choice] = (await choose([file], 'n y')).choices
    assert.deepEqual(choice, { kind: 'part', content: Buffer.from('y\n'), mode: false })
  })
})

describe('contents with some changes', () => {
  const text = fc
    .array(fc.constantFrom('a\n', 'b\n', 'c\n', '\n', 'a\r\n', 'd\n'), { maxLength: 30 })
    .chain((lines) => fc.boolean().map((cut) => (cut ? lines.join('').replace(/\n$/, '') : lines.join(''))))

  it('are the old one for none and the new one for all', () => {
    holds(
      fc.property(text, text, (old, now) => {
        const changes = changesOfContents(encodeUtf8(old), encodeUtf8(now))
        assert.equal(toLatin1(contentWith(changes, () => false)), old)
        assert.equal(toLatin1(contentWith(changes, () => true)), now)
      }),
    )
  })

  it('differ from the old one by the chosen changes and no others', () => {
    holds(
      fc.property(text, text, fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), (old, now, chosen) => {
        const changes = changesOfContents(encodeUtf8(old), encodeUtf8(now))
        const { hunks } = changes.now
        const [before, after] = [linesOf(old), linesOf(now)]
        for (let i = hunks.length / HUNK_FIELDS - 1; i >= 0; i--) {
          const [aStart = 0, aEnd = 0, bStart = 0, bEnd = 0] = hunks.subarray(i * HUNK_FIELDS)
          if (chosen[i]) before.splice(aStart, aEnd - aStart, ...after.slice(bStart, bEnd))
        }
        assert.equal(toLatin1(contentWith(changes, (i) => chosen[i] === true)), before.join(''))
      }),
    )
  })

  it('have every change in one range that is shown, and in one part of it', () => {
    holds(
      fc.property(text, text, (old, now) => {
        const changes = changesOfContents(encodeUtf8(old), encodeUtf8(now))
        const parts = shownRanges(changes).flatMap((range) => splitRange(range))
        assert.deepEqual(
          parts.map(({ first, end }) => [first, end]),
          Array.from({ length: changes.count }, (_, i) => [i, i + 1]),
        )
        for (const range of shownRanges(changes)) assert.ok(rangeAsHunk(changes, range))
      }),
    )
  })
})

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}
