import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toLatin1 } from '../src/base/bytes.js'
import { commonEnds } from '../src/lines/common.js'
import { LineInterner, LineList } from '../src/lines/intern.js'
import { countLines, isText, lineStarts, MAX_LINE } from '../src/lines/split.js'
import { holds } from './support/property.js'

/** Lines of a text, the obvious way. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** Text of few different bytes, so that lines repeat: newlines, carriage returns, blanks, letters, any byte. */
const texts = fc
  .array(fc.constantFrom('\n', '\n', '\r\n', ' ', '\t', 'a', 'b', '}', '\xe9', '\0'), { maxLength: 60 })
  .map((parts) => parts.join(''))

describe('lines: split', () => {
  const cases: [text: string, lines: string[]][] = [
    ['', []],
    ['\n', ['\n']],
    ['a', ['a']],
    ['a\n', ['a\n']],
    ['a\nb', ['a\n', 'b']],
    ['a\r\nb\r\n', ['a\r\n', 'b\r\n']],
    ['\n\na', ['\n', '\n', 'a']],
    ['a\rb\n', ['a\rb\n']],
    ['\xff\xfe\n', ['\xff\xfe\n']],
  ]
  for (const [text, lines] of cases) {
    it(`${JSON.stringify(text)} is ${lines.length} lines`, () => {
      const bytes = fromLatin1(text)
      const starts = lineStarts(bytes)
      assert.equal(countLines(bytes), lines.length)
      assert.deepEqual(
        lines.map((_, i) => toLatin1(bytes, starts[i], starts[i + 1])),
        lines,
      )
    })
  }

  it('finds the lines that a regular expression finds', () => {
    holds(
      fc.property(texts, (text) => {
        const bytes = fromLatin1(text)
        const starts = lineStarts(bytes)
        const lines = linesOf(text)
        assert.equal(countLines(bytes), lines.length)
        assert.equal(starts.length, lines.length + 1)
        assert.deepEqual(
          lines.map((_, i) => toLatin1(bytes, starts[i], starts[i + 1])),
          lines,
        )
      }),
    )
  })
})

describe('lines: text or not', () => {
  const long = 'x'.repeat(MAX_LINE - 1)
  const cases: [name: string, content: string, text: boolean][] = [
    ['nothing', '', true],
    ['a NUL as byte 7,999', `${'a'.repeat(7999)}\0`, false],
    ['a NUL as byte 8,000', `${'a'.repeat(8000)}\0`, true],
    ['Latin-1', 'caf\xe9\n', true],
    ['a line of 65,536 bytes', `${long}\n`, true],
    ['a line of 65,537 bytes', `${long}x\n`, false],
    ['a last line of 65,536 bytes without newline', `a\n${long}x`, true],
    ['a last line of 65,537 bytes without newline', `a\n${long}xx`, false],
    ['long lines, one too long among them', `${long}\n${long}\nb\n${long}x\nb\n`, false],
    ['many long lines', `${long}\n`.repeat(5), true],
  ]
  for (const [name, content, text] of cases) {
    it(`${name}: ${text ? 'text' : 'not text'}`, () => assert.equal(isText(fromLatin1(content)), text))
  }

  it('agrees with looking at every line', () => {
    // Lengths around the limit, where an error by one shows.
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 65_534, max: 65_538 })), {
      maxLength: 6,
    })
    holds(
      fc.property(lengths, fc.boolean(), (sizes, ended) => {
        const text = sizes.map((size) => 'x'.repeat(size)).join('\n') + (ended ? '\n' : '')
        assert.equal(
          isText(fromLatin1(text)),
          linesOf(text).every((line) => line.length <= MAX_LINE),
        )
      }),
    )
  })
})

describe('lines: interning', () => {
  it('gives equal tokens to equal lines and to no others', () => {
    holds(
      fc.property(fc.array(texts, { maxLength: 8 }), fc.integer(), (contents, seed) => {
        const interner = new LineInterner(seed)
        const tokens = new Map<string, number>()
        for (const text of contents) {
          const bytes = fromLatin1(text)
          const out = new LineList()
          interner.internRange(bytes, 0, bytes.length, out)
          const lines = linesOf(text)
          assert.equal(out.length, lines.length)
          lines.forEach((line, i) => {
            const token = out.tokens[i] as number
            if (!tokens.has(line)) tokens.set(line, tokens.size)
            assert.equal(token, tokens.get(line), 'tokens count up in order of first sight')
            assert.equal(toLatin1(bytes, out.starts[i], (out.starts[i] as number) + line.length), line)
            assert.equal(toLatin1(interner.line(token)), line)
          })
        }
        assert.equal(interner.size, tokens.size)
      }),
    )
  })

  it('holds a hundred thousand lines', () => {
    const interner = new LineInterner()
    const bytes = fromLatin1(Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join(''))
    const out = new LineList()
    interner.internRange(bytes, 0, bytes.length, out)
    interner.internRange(bytes, 0, bytes.length, out)
    assert.equal(interner.size, 100_000)
    assert.equal(out.length, 200_000)
    for (let i = 0; i < 200_000; i++) assert.equal(out.tokens[i], i % 100_000)
    assert.equal(interner.intern(bytes, 0, 7), 0)
    assert.ok(interner.byteLength < 6_000_000, `${interner.byteLength} bytes`)
  })

  it('tells lines apart whose hashes are equal', () => {
    const interner = new LineInterner()
    // FNV-1a, 32 bit, has these pairs with the same hash.
    const words = ['costarring\n', 'liquid\n', 'declinate\n', 'macallums\n', 'altarage\n', 'zinke\n']
    for (let round = 0; round < 2; round++) {
      words.forEach((word, i) => void assert.equal(interner.intern(fromLatin1(word), 0, word.length), i))
    }
  })

  const traits: [line: string, indent: number, ink: number][] = [
    ['\n', -1, 0],
    [' \t\r\n', -1, 0],
    ['a\n', 0, 1],
    ['  }\r\n', 2, 1],
    ['\tif (x) {\n', 8, 6],
    ['   \tx', 8, 1],
    ['\t  y  z\n', 10, 2],
    [`${' '.repeat(300)}deep\n`, 200, 4],
    ['a line with much ink\n', 0, 8],
  ]
  for (const [line, indent, ink] of traits) {
    it(`${JSON.stringify(line.slice(-12))} is indented ${indent}, ink ${ink}`, () => {
      const interner = new LineInterner()
      const token = interner.intern(fromLatin1(line), 0, line.length)
      assert.deepEqual([interner.indents[token], interner.inks[token]], [indent, ink])
    })
  }

  it('refuses tokens it did not give', () => assert.throws(() => new LineInterner().line(0), RangeError))
})

describe('lines: common ends', () => {
  /** Line by line, the prefix first. */
  function slowEnds(a: string, b: string): { prefix: number; suffix: number } {
    const [left, right] = [linesOf(a), linesOf(b)]
    let [prefix, suffix] = [0, 0]
    while (left.length > 0 && left[0] === right[0]) {
      prefix += (left.shift() as string).length
      right.shift()
    }
    while (left.length > 0 && left.at(-1) === right.at(-1)) {
      suffix += (left.pop() as string).length
      right.pop()
    }
    return { prefix, suffix }
  }

  const cases: [a: string, b: string][] = [
    ['', ''],
    ['', 'a\n'],
    ['a', 'a\n'],
    ['a\nb', 'a\nb'],
    ['a\nb', 'a\nb\nc'],
    ['foo', 'xfoo'],
    ['x\nfoo', 'y\nfoo'],
    ['a\na\n', 'a\na\na\n'],
    ['xa\nb\n', 'ya\nb\n'],
  ]
  for (const [a, b] of cases) {
    it(`${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => {
      assert.deepEqual(commonEnds(fromLatin1(a), fromLatin1(b)), slowEnds(a, b))
    })
  }

  it('agrees with comparing line by line', () => {
    // Texts long enough for blocks of every size, shared on both sides of a small difference.
    const shared = fc.tuple(texts, fc.integer({ min: 0, max: 120 })).map(([text, times]) => text.repeat(times))
    holds(
      fc.property(shared, texts, texts, shared, (head, a, b, tail) => {
        const [left, right] = [head + a + tail, head + b + tail]
        assert.deepEqual(commonEnds(fromLatin1(left), fromLatin1(right)), slowEnds(left, right))
        assert.deepEqual(commonEnds(Uint8Array.from(fromLatin1(a)), fromLatin1(b)), slowEnds(a, b))
      }),
    )
  })
})
