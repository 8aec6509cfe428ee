package message

import "testing"

func TestXIDsAreReadBack(t *testing.T) {
	for _, x := range []XID{
		{1, "global", "branch"}, {-5, "\x00\xff", ""}, {131077, "g", "\x80"},
	} {
		got, err := ParseXID(x.String())
		if err != nil || got != x {
			t.Errorf("%v is read back as %v, %v", x, got, err)
		}
	}
}

func TestWhatIsNoXID(t *testing.T) {
	for _, s := range []string{
		"", "XID:[1,globalId=,branchId=]", "XID:[1,globalId=0,branchId=]", "XID:[99999999999,globalId=00,branchId=]",
		"XID:[1,globalId=00,branchId=00] ", "TX:ID:c:1",
	} {
		if x, err := ParseXID(s); err == nil {
			t.Errorf("%q is read as %v", s, x)
		}
	}
}

func TestTheBranchThatAMessageWasSentIn(t *testing.T) {
	branch := []byte{1, 112, 0, 0, 0, 86, 1, 0, 0, 0, 2, 'g', 't', 1, 0, 0, 0, 1, 'b'}
	m := New(Plain).With(Set{transactionID, branch})
	if x, ok := m.XATransaction(); !ok || x != (XID{86, "gt", "b"}) {
		t.Errorf("the branch is %v, %v", x, ok)
	}
	local := New(Plain).With(Set{transactionID, append([]byte{1, 111, 0, 0, 0, 0, 0, 0, 0, 7}, 0)})
	if x, ok := local.XATransaction(); ok {
		t.Errorf("a local transaction is the branch %v", x)
	}
	if x, ok := New(Plain).XATransaction(); ok {
		t.Errorf("no transaction is the branch %v", x)
	}
}
