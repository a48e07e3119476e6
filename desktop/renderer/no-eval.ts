import { z } from 'zod'

// Imported before any schema is made: the page's policy forbids the code zod would otherwise generate at run time.
z.config({ jitless: true })
