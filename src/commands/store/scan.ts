import { required } from '../../cli/arguments.js'
import { PagedCommand } from '../../cli/command.js'
import { formatEntryLine } from '../../cli/format-store.js'

/** `weft store scan`: entries in key order. */
export default class StoreScan extends PagedCommand {
  static override summary = 'List the entries whose keys begin with a prefix'
  static override description =
    'Every line of every file is there to see, as an entry with its lseq. store stat tells which kinds there are; an empty prefix lists all.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> V',
    '<%= config.bin %> <%= command.id %> L | head',
    '<%= config.bin %> <%= command.id %> "" --json',
  ]
  static override args = { prefix: required('First characters of the key, as store scan prints keys') }

  async run(): Promise<void> {
    const { args } = await this.parse(StoreScan)
    await using repo = await this.openRepository()
    await this.answerEach(repo.store.scan(args.prefix), formatEntryLine)
  }
}
