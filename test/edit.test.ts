import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toLatin1 } from '../src/base/bytes.js'
import { diffTokens } from '../src/lines/diff.js'
import { diffContents, type Lines, NO_LINES } from '../src/lines/edit.js'
import { HUNK_FIELDS } from '../src/lines/hunk.js'
import { LineInterner, LineList } from '../src/lines/intern.js'
import { lineStarts } from '../src/lines/split.js'
import { holds } from './support/property.js'

/** The lines of a content, read without looking at any other. */
function readAlone(bytes: Uint8Array, interner: LineInterner): Lines {
  const out = new LineList()
  interner.internRange(bytes, 0, bytes.length, out)
  return { bytes, tokens: out.tokens.slice(0, out.length), starts: lineStarts(bytes) }
}

/** Writes down the states of a file one after the other and checks each against reading it alone. */
function checkHistory(states: readonly string[]): void {
  const interner = new LineInterner()
  let old = NO_LINES
  for (const state of states) {
    const bytes = fromLatin1(state)
    const edit = diffContents(old, bytes, interner)
    const alone = readAlone(bytes, interner)
    assert.deepEqual(edit.tokens, alone.tokens)
    assert.deepEqual(edit.starts, alone.starts)
    assert.equal(edit.bytes, bytes)
    assert.deepEqual(edit.hunks, diffTokens(old.tokens, edit.tokens, interner))
    assert.equal(patched(old, edit, edit.hunks), state)
    old = edit
  }
}

/** The new text, made of the old one's bytes outside of the hunks and the new one's inside. */
function patched(old: Lines, now: Lines, hunks: Int32Array): string {
  let text = ''
  let from = 0
  for (let i = 0; i < hunks.length; i += HUNK_FIELDS) {
    const [aStart, aEnd, bStart, bEnd] = hunks.subarray(i, i + HUNK_FIELDS)
    text += toLatin1(old.bytes, from, old.starts[aStart as number])
    text += toLatin1(now.bytes, now.starts[bStart as number], now.starts[bEnd as number])
    from = old.starts[aEnd as number] as number
  }
  return text + toLatin1(old.bytes, from)
}

describe('edit: a file through its states', () => {
  const cases: [name: string, states: string[]][] = [
    ['grows from nothing and goes', ['', 'a\n', 'a\nb\n', '', '\n']],
    ['stays', ['a\nb\n', 'a\nb\n']],
    ['loses and gets its final newline', ['a\nb', 'a\nb\n', 'a\nb', 'a\nb\nc']],
    ['changes its line ends', ['a\nb\n', 'a\r\nb\r\n', 'a\nb\r\n']],
    ['repeats a line', ['a\n', 'a\na\n', 'a\na\na\n', 'a\n']],
    ['turns around', ['a\nb\nc\n', 'c\nb\na\n']],
    ['gets its ends changed', ['x\na\nb\nc\nd\ne\nf\ng\nh\ni\nx\n', 'y\na\nb\nc\nd\ne\nf\ng\nh\ni\ny\n']],
    [
      'has a long line changed inside',
      [`a\n${'b'.repeat(3000)}\nc\n`, `a\n${'b'.repeat(1500)}x${'b'.repeat(1499)}\nc\n`],
    ],
  ]
  for (const [name, states] of cases) it(name, () => checkHistory(states))

  it('reads every state as if it were alone, and diffs it as a whole', () => {
    const line = fc.oneof(
      fc.constantFrom('', '}', '  }', 'return', '\t'),
      fc.nat(60).map((n) => `line ${n}`),
      fc.nat(3).map((n) => 'long '.repeat(n * 30)),
    )
    const change = fc.tuple(fc.nat(300), fc.nat(20), fc.array(line, { maxLength: 10 }))
    const history = fc.tuple(
      fc.array(line, { maxLength: 200, size: 'max' }),
      fc.array(fc.tuple(fc.array(change, { minLength: 1, maxLength: 5 }), fc.boolean()), { maxLength: 5 }),
    )
    holds(
      fc.property(history, ([first, edits]) => {
        const lines = [...first]
        const states = [lines.join('\n')]
        for (const [changes, ended] of edits) {
          for (const [at, deleted, inserted] of changes) lines.splice(at, deleted, ...inserted)
          states.push(lines.join('\n') + (ended ? '\n' : ''))
        }
        checkHistory(states)
      }),
    )
  })

  it('grows on any state, not only on the last', () => {
    const interner = new LineInterner()
    const trunk = diffContents(NO_LINES, fromLatin1('a\nb\nc\n'), interner)
    const left = diffContents(trunk, fromLatin1('a\nx\nb\nc\n'), interner)
    const right = diffContents(trunk, fromLatin1('a\nb\nc\ny\n'), interner)
    assert.deepEqual([...left.hunks], [1, 1, 1, 2])
    assert.deepEqual([...right.hunks], [3, 3, 3, 4])
    assert.deepEqual([...diffContents(left, right.bytes, interner).hunks], [1, 2, 1, 1, 4, 4, 3, 4])
  })

  it('forgets nothing between files that differ in everything but the numbers of their tokens', () => {
    const rows = (word: string, from: number): string =>
      Array.from({ length: 50 }, (_, i) => `${word} ${i + from}\n`).join('')
    for (const word of ['one', 'two', 'six']) {
      checkHistory([
        rows(word, 0),
        `top\n${rows(word, 0)}end\n`,
        `${rows(word, 25)}`,
        `${rows(word, 0)}${rows(word, 0)}`,
      ])
    }
  })
})
