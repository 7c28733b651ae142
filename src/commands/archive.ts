import { resolve } from 'node:path'
import * as Flags from '@oclif/core/flags'
import { milliseconds } from '../base/clock.js'
import { CodedError } from '../base/error.js'
import { required, several, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatArchive } from '../cli/format-tree.js'
import { write } from '../cli/output.js'
import { ARCHIVE_FORMATS, type ArchiveFormat, formatOfName } from '../repo/archive-entry.js'

/** `weft archive`: a version as tar or zip. */
export default class Archive extends BaseCommand {
  static override summary = 'Put the files of a version into a tar or zip file'
  static override description =
    `The format follows from the name of the file, and is tar where nothing else says so. The same version always gives the same bytes. Times are the committer's, modes and symbolic links are kept, a submodule is an empty directory.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> v1.2 -o book-1.2.tar.gz --prefix book-1.2/',
    '<%= config.bin %> <%= command.id %> main recipes -o recipes.zip',
    '<%= config.bin %> <%= command.id %> main | tar x -C /tmp/book',
  ]
  static override args = {
    version: required('Version to put in'),
    paths: several('Files and directories, all where none is named'),
  }
  static override flags = {
    format: Flags.option({ options: ARCHIVE_FORMATS, summary: 'Format, where the name of the file does not say it' })(),
    output: Flags.string({ char: 'o', helpValue: '<file>', summary: 'Write into this file, not to standard output' }),
    prefix: Flags.string({ helpValue: '<p/>', summary: 'Put this before every path' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Archive)
    const started = milliseconds()
    const format = flags.format ?? formatOf(flags.output)
    if (flags.output === undefined && process.stdout.isTTY) throw toTerminal()
    await using repo = await this.openRepository()
    const paths = args.paths?.map((path) => this.pathIn(repo, path)) ?? []
    const { makeArchive } = await import('../repo/archive.js')
    const options = { at: args.version, format, prefix: flags.prefix, paths, ...this.progress }
    const { at, files, chunks } = await makeArchive(repo, options)
    if (flags.output === undefined) {
      for await (const chunk of chunks) await write(chunk)
      return
    }
    const { writeWholeFile } = await import('../repo/whole-file.js')
    const to = resolve(flags.output)
    const bytes = await writeWholeFile(to, chunks)
    await this.answer({ at, to, format, files, bytes, seconds: (milliseconds() - started) / 1000 }, formatArchive)
  }
}

/** @throws {CodedError} `USAGE` for a name that says nothing of a format. */
function formatOf(output: string | undefined): ArchiveFormat {
  if (output === undefined) return 'tar'
  const format = formatOfName(output)
  if (format !== undefined) return format
  throw new CodedError('USAGE', `The name ${output} does not say which format it is to have.`, {
    hint: `Let it end in ${ARCHIVE_FORMATS.map((own) => `.${own}`).join(', ')}, or add --format.`,
  })
}

function toTerminal(): CodedError {
  return new CodedError('USAGE', 'An archive is nothing for a terminal.', {
    hint: 'Name a file with -o <file>, or send it on: `weft archive main | tar t`.',
  })
}
