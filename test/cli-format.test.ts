/**
 * The words of the command line: pure functions from the library's answers to text.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CodedError } from '../src/base/error.js'
import { columns, dateTime, duration, grouped, indent, size } from '../src/cli/format.js'
import { formatBlame } from '../src/cli/format-blame.js'
import { formatExport } from '../src/cli/format-export.js'
import { formatMatch } from '../src/cli/format-grep.js'
import { formatImport } from '../src/cli/format-import.js'
import { formatSnapshots } from '../src/cli/format-snapshot.js'
import { formatEntryLine, formatStat } from '../src/cli/format-store.js'
import { formatTree } from '../src/cli/format-tree.js'
import { formatVerify } from '../src/cli/format-verify.js'
import { colourPatch, formatDetail, formatVersion } from '../src/cli/format-version.js'
import { parsePattern } from '../src/cli/pattern.js'
import { formatReport, reportOf } from '../src/cli/report.js'
import { makeStyle, PLAIN, wantsColours } from '../src/cli/style.js'
import type { BlameLine, Person, VersionDetail } from '../src/repo/results.js'

const ADA: Person = { name: 'Ada', email: 'ada@example.org', time: '2024-03-01T12:00:00+01:00' }
const BOB: Person = { name: 'Bob', email: '', time: '2024-03-02T00:00:00Z' }

const VERSION: VersionDetail = {
  id: 'ab'.repeat(32),
  parents: ['cd'.repeat(32)],
  author: ADA,
  committer: ADA,
  message: 'Fix it\n\nFor good.\n',
  git: 'ef'.repeat(20),
  stream: '00002a',
  seq: 7,
  signer: '0123456789abcdef',
  names: ['main'],
  changes: [{ path: 'b', from: 'a', change: 'renamed', mode: '100755', oldMode: '100644', binary: false }],
  patch: '--- a/a\n+++ b/b\n@@ -1 +1 @@\n-x\n+y\n',
}

/** Tags instead of escape sequences, so that a test can be read. */
const tag = (name: string) => (text: string) => `<${name}>${text}</${name}>`
const TAGGED = { ...PLAIN, red: tag('red'), green: tag('green'), cyan: tag('cyan'), bold: tag('bold') }

describe('columns', () => {
  it('take colours for nothing', () => {
    const bold = (text: string): string => `\x1b[1m${text}\x1b[22m`
    assert.equal(
      columns(
        [
          [bold('a'), '1'],
          ['bcd', bold('22')],
        ],
        [1],
      ),
      `${bold('a')}     1\nbcd  ${bold('22')}\n`,
    )
  })
})

describe('numbers and times', () => {
  const cases: [text: string, want: string][] = [
    [grouped(0), '0'],
    [grouped(1234567), '1,234,567'],
    [size(1), '1 byte'],
    [size(999), '999 bytes'],
    [size(4200), '4.2 kB'],
    [size(999_499), '999 kB'],
    [size(999_500), '1.0 MB'],
    [size(12_600_000), '13 MB'],
    [duration(0.0416), '0.04 s'],
    [duration(59.94), '59.9 s'],
    [duration(125), '2 min 5 s'],
    [dateTime('2024-03-01T12:00:00+01:00'), '2024-03-01 12:00:00 +0100'],
    [dateTime('2024-03-01T12:00:00Z'), '2024-03-01 12:00:00 +0000'],
    [dateTime('2024-03-01T12:00:00.123Z'), '2024-03-01 12:00:00 +0000'],
    [dateTime('odd'), 'odd'],
    [indent('a\n\nb'), '    a\n\n    b'],
  ]
  for (const [text, want] of cases) it(want, () => assert.equal(text, want))
})

describe('formats', () => {
  it('a version of a log', () => {
    assert.equal(
      formatVersion(VERSION, PLAIN),
      `version abababababab\ngit:    ${'ef'.repeat(20)}\nAuthor: Ada <ada@example.org>\nDate:   2024-03-01 12:00:00 +0100\n\n    Fix it\n\n    For good.\n\n`,
    )
  })

  it('a version in full', () => {
    const text = formatDetail({ ...VERSION, committer: BOB }, PLAIN)
    for (const line of [
      `version ${'ab'.repeat(32)} (main)`,
      `Parent:  ${'cd'.repeat(32)}`,
      'Commit:  Bob <>',
      'Signer:  0123456789abcdef',
      'R  a -> b (100644 -> 100755)',
      '+y',
    ]) {
      assert.ok(text.split('\n').includes(line), `${line} is not in\n${text}`)
    }
  })

  it('a patch, and does not take a removed line for a header', () => {
    const patch =
      '--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n--- not a header\n same\n@@ -9 +9 @@\n-a\n\\ No newline at end of file\n+b\n'
    assert.equal(
      colourPatch(patch, TAGGED),
      '<bold>--- a/x</bold>\n<bold>+++ b/x</bold>\n<cyan>@@ -1,2 +1 @@</cyan>\n<red>--- not a header</red>\n same\n<cyan>@@ -9 +9 @@</cyan>\n<red>-a</red>\n\\ No newline at end of file\n<green>+b</green>\n',
    )
  })

  it('a tree', () => {
    const entry = {
      path: 'src/a.c',
      mode: '100644',
      kind: 'file',
      size: 1234,
      sha256: '12'.repeat(32),
      file: '1-2',
    } as const
    const link = { ...entry, path: 'b', mode: '120000', kind: 'symlink', size: 7 } as const
    assert.equal(
      formatTree([entry, link], PLAIN),
      '100644  1,234  121212121212  src/a.c\n120000      7  121212121212  b\n',
    )
  })

  it('blame in columns, wide and long names too', () => {
    const line = (n: number, name: string, text: string): BlameLine => {
      return { n, text, version: 'ab'.repeat(32), author: { ...ADA, name }, lseq: '1-2' }
    }
    const lines = [line(1, 'Ada', 'int x;'), line(2, '中村', ''), line(3, 'A very long name indeed', '}')]
    assert.equal(
      formatBlame({ path: 'a', at: '', lines }, PLAIN),
      [
        'abababababab Ada                2024-03-01 1 int x;\n',
        'abababababab 中村               2024-03-01 2 \n',
        'abababababab A very long name … 2024-03-01 3 }\n',
      ].join(''),
    )
  })

  it('matches', () => {
    const put = { version: 'ab'.repeat(32) }
    const match = { path: 'a.c', text: 'x', lseq: '1-2', put }
    assert.equal(formatMatch({ ...match, n: 12 }, PLAIN), 'a.c:12:x\n')
    assert.equal(formatMatch(match, PLAIN), 'a.c  +abababababab  x\n')
    const removed = [{ version: 'cd'.repeat(32) }, { version: 'ef'.repeat(32) }]
    assert.equal(formatMatch({ ...match, removed }, PLAIN), 'a.c  +abababababab -cdcdcdcdcdcd -efefefefefef  x\n')
  })

  it('a verification', () => {
    const looked = { versions: 1, entries: 2, files: 3, bytes: 4000, signatures: 1, seconds: 0.5 }
    const report = { ok: true, ...looked, damage: [], doubts: [], equivocations: [], revoked: [] }
    assert.equal(
      formatVerify(report, PLAIN),
      'Checked 1 version, 1 signature, 2 entries, 3 file versions (4.0 kB) in 0.50 s.\nEverything is as it was signed.\n',
    )
    const damage = [{ kind: 'leaf', path: 'a.c', version: 'ab'.repeat(32), key: 'L1', detail: 'The digest differs.' }]
    assert.match(
      formatVerify({ ...report, ok: false, damage }, PLAIN),
      /^leaf: The digest differs\. \[version abababababab, path a\.c, key L1\]\nChecked .*\n1 damage found\.\n$/,
    )
    const beyond = ['ab', 'cd'].map((id, i) => {
      return { version: id.repeat(32), stream: '00000a', seq: i + 1, signer: '0123456789abcdef', name: 'Bob' }
    })
    assert.match(
      formatVerify({ ...report, revoked: beyond }, PLAIN),
      /\nrevoked: 2 versions signed by 0123456789abcdef \(Bob\) beyond where .*: abababababab, cdcdcdcdcdcd\nEverything is/,
    )
    const [kept, refused] = ['ab'.repeat(32), 'cd'.repeat(32)]
    const equivocations = [{ stream: '0000aa', signer: 'ef'.repeat(8), kept, refused, detail: 'Two at once.' }]
    const doubts = [{ kind: 'origin', path: 'a.c', detail: 'Others.' }]
    assert.match(
      formatVerify({ ...report, doubts, equivocations }, PLAIN),
      /^equivocation: Two at once\. \[refused cdcdcdcdcdcd\]\norigin: Others\. \[path a\.c\]\nChecked .*\nEvery.*\n$/,
    )
  })

  it('an import', () => {
    const report = {
      versions: 2,
      files: 3,
      entries: 1000,
      lines: 5,
      bytes: 6,
      seconds: 1,
      refs: 1,
      streams: 1,
      diverged: [],
      warnings: ['odd'],
    }
    const text = formatImport({ ...report, head: 'main' }, 'my repo', PLAIN)
    assert.match(text, /^Warning: odd\nImported 2 versions with 3 file versions \(6 bytes\) in 1\.0 s:\n/)
    assert.match(text, /The current branch is main\.\n/)
    assert.match(text, / {2}weft log -C 'my repo' -n 5 /)
    assert.match(formatImport({ ...report, versions: 0, warnings: [] }, '.', PLAIN), /^Nothing new/)
    const apart = formatImport({ ...report, diverged: ['topic'], behind: 'main' }, '.', PLAIN)
    assert.match(apart, /^Diverged: topic went on here and there\. On that branch, `weft merge` joins the two\.$/m)
    assert.match(apart, /^The files here are of an older version of main: `weft merge` brings them up to it\.$/m)
  })

  it('an export', () => {
    const report = { versions: 5, commits: 2, objects: 7, refs: 1, bytes: 1234, seconds: 1, refused: [] }
    assert.equal(
      formatExport(report, 'out', PLAIN),
      'Exported 2 new commits with 7 objects (1.2 kB) in 1.0 s; 1 branch or tag set in out.\n',
    )
    const refused = [
      { ref: 'refs/heads/main', code: 'GIT_NOT_FORWARD' as const, message: 'It moved.', hint: 'Import.' },
    ]
    assert.equal(
      formatExport({ ...report, commits: 0, objects: 0, refs: 0, refused }, 'out', PLAIN),
      'Nothing new for out (1.0 s).\nNot set: It moved.\n         Import.\n',
    )
  })

  it('a store', () => {
    const kinds = [
      { kind: 'L', meaning: 'lines', entries: 1200, bytes: 5000 },
      { kind: 'V', meaning: 'versions', entries: 3, bytes: 10 },
    ]
    assert.equal(
      formatStat({ format: 1, bytes: 2000, entries: 1203, loose: 3, pages: 1, kinds }, PLAIN),
      'Format 1, 2.0 kB on disk: 1,203 entries in 1 page and 3 loose.\n\nkind  entries      size  meaning\nL       1,200    5.0 kB  lines\nV           3  10 bytes  versions\n',
    )
    assert.equal(formatEntryLine({ key: 'k', lseq: '1-2', kind: 'L', value: 'a\nb', bytes: 3 }, PLAIN), 'k  a / b\n')
  })

  it('no snapshots', () => assert.match(formatSnapshots([], PLAIN), /no snapshots yet.*weft snapshot create/))
})

describe('style', () => {
  it('shows control characters on a terminal and nowhere else', () => {
    const { safe } = makeStyle(false, true)
    assert.equal(safe('a\x1b[31m\tb\r\nc\rd\x9be\n'), 'a^[[31m\tb\r\nc^MdM-^[e\n')
    assert.equal(PLAIN.safe('\x1b[31m'), '\x1b[31m')
  })

  const terminal = { isTTY: true }
  const cases: [name: string, stream: { isTTY?: boolean }, env: Record<string, string>, want: boolean][] = [
    ['a terminal', terminal, {}, true],
    ['a pipe', {}, {}, false],
    ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
    ['NO_COLOR', terminal, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', terminal, { NO_COLOR: '' }, true],
    ['FORCE_COLOR', {}, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
    ['both', {}, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ]
  for (const [name, stream, env, want] of cases) {
    it(`colours for ${name}: ${want}`, () => assert.equal(wantsColours(stream, env), want))
  }
})

describe('reports', () => {
  const cases: [name: string, error: unknown, exit: number, code: string][] = [
    ['a user error', new CodedError('PATH_UNKNOWN', 'no'), 1, 'PATH_UNKNOWN'],
    ['bad usage', new CodedError('USAGE', 'no'), 2, 'USAGE'],
    ['damage', new CodedError('BAD_RECORD', 'no'), 3, 'BAD_RECORD'],
    [
      'a parse error of oclif',
      Object.assign(new Error('no\nSee more help with --help'), { oclif: { exit: 2 } }),
      2,
      'USAGE',
    ],
    ['a full disk', Object.assign(new Error('no'), { code: 'ENOSPC', path: '/x' }), 1, 'ENOSPC'],
    ['anything else', new TypeError('no'), 70, 'BUG'],
    ['what is no error at all', 'no', 70, 'BUG'],
  ]
  it('name the flag that was probably meant', () => {
    const error = (typed: string): Error =>
      Object.assign(new Error(`Nonexistent flag: ${typed}\nSee more help with --help`), {
        oclif: { exit: 2 },
        flags: [typed],
        parse: { input: { flags: { json: {}, history: {} } } },
      })
    assert.equal(
      formatReport(reportOf(error('--histroy'))),
      'Error: There is no flag --histroy here.\nHint: Did you mean --history?\n',
    )
    assert.match(formatReport(reportOf(error('--zzz'))), /Hint: Add --help/)
    assert.match(formatReport(reportOf(error('-x'))), /Hint: Add --help/)
  })

  for (const [name, error, exit, code] of cases) {
    it(name, () => {
      const report = reportOf(error)
      assert.deepEqual([report.exit, report.code], [exit, code])
      assert.match(formatReport(report), /^Error: [^\n]+\n(Hint: [^\n]+\n)?$/)
    })
  }
})

describe('patterns', () => {
  it('escape plain text', () => {
    const text = 'a[0] = b.c*(d|e)^2 {\\} $x?'
    assert.ok(parsePattern(text, { fixed: true, ignoreCase: false }).test(`>${text}<`))
    assert.ok(!parsePattern('a.c', { fixed: true, ignoreCase: false }).test('abc'))
    assert.ok(parsePattern('ABC', { fixed: false, ignoreCase: true }).test('abc'))
  })
  it('refuse what is no expression', () => {
    assert.throws(() => parsePattern('a(', { fixed: false, ignoreCase: false }), { code: 'USAGE' })
  })
})
