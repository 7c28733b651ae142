import * as Flags from '@oclif/core/flags'
import { at, required, several, VERSION_HELP } from '../cli/arguments.js'
import { PagedCommand } from '../cli/command.js'
import { formatMatch } from '../cli/format-grep.js'
import { parsePattern } from '../cli/pattern.js'

/** `weft grep`: lines that match, in one version or in all of history. */
export default class Grep extends PagedCommand {
  static override summary = 'Search the lines of a version, or every line that ever existed'
  static override description = `The pattern is a JavaScript regular expression.

With --history, every line that any version ever had is searched: the answer says which version put a line (+) and which removed it (-).

${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> "mem(cpy|move)" src',
    '<%= config.bin %> <%= command.id %> -F "a[0]" --at v1.2',
    '<%= config.bin %> <%= command.id %> -i --history password',
  ]
  static override args = {
    pattern: required('Regular expression; put -- before one that starts with a dash'),
    paths: several('Files and directories to search, all where none is named'),
  }
  static override flags = {
    at,
    'fixed-strings': Flags.boolean({ char: 'F', summary: 'The pattern is plain text' }),
    history: Flags.boolean({ exclusive: ['at'], summary: 'Search every line that ever existed' }),
    'ignore-case': Flags.boolean({ char: 'i', summary: 'Upper and lower case are alike' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Grep)
    const pattern = parsePattern(args.pattern, { fixed: flags['fixed-strings'], ignoreCase: flags['ignore-case'] })
    await using repo = await this.openRepository()
    const paths = args.paths?.map((path) => this.pathIn(repo, path)) ?? []
    const matches = repo.grep(pattern, {
      history: flags.history,
      ...(paths.length > 0 && { paths }),
      ...(flags.at !== undefined && { at: flags.at }),
    })
    await this.answerEach(matches, formatMatch)
  }
}
