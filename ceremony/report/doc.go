// SPDX-License-Identifier: Apache-2.0

// Package report makes the report of a key ceremony: one HTML page, without
// scripts, that says what plan, record and the files beside them show, and what
// they do not.
//
// A report adds nothing to its sources. Each statement names the lines of the
// record that it rests on; of randomness and shares it says what may be claimed
// and no more; and what a file says that no line of the record names is told
// apart from what the record binds.
//
// The page is made of sections, each a function from the [Evidence] to what it
// shows, see [sections]. What happened is told by the type of each event, in
// one place, and an event that this package has no words for is shown with all
// its members: so the report grows with the record, and leaves nothing out.
//
// The same report on paper, or as PDF, is the page printed by a browser: so
// there is one source, every script that names are written in, and a document
// whose structure screen readers find. The fonts that every reader of PDF has
// would cover western Europe only.
//
// The package is pure: it is handed what the folder holds, and the time.
package report
