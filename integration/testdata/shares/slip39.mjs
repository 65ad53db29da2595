// Recovers a secret from SLIP-0039 words, a share on each line of standard
// input, and prints it in hexadecimal.
import { readFileSync } from 'node:fs'
import slip39 from 'slip39'

const mnemonics = readFileSync(0, 'utf8').trim().split('\n')
console.log(Buffer.from(slip39.recoverSecret(mnemonics, '')).toString('hex'))
