// Code generated from structures.txt by internal/gen; DO NOT EDIT.

package openwire

// Response says that a command is done.
type Response struct {
	BaseCommand
	CorrelationID int32
}

func (*Response) TypeByte() byte { return TypeResponse }

func (s *Response) absent() bool { return s == nil }

func (s *Response) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.int(s.CorrelationID)
}

func (s *Response) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.CorrelationID = d.int()
}

// ExceptionResponse says that a command failed.
type ExceptionResponse struct {
	BaseCommand
	CorrelationID int32
	Exception     *Throwable
}

func (*ExceptionResponse) TypeByte() byte { return TypeExceptionResponse }

func (s *ExceptionResponse) absent() bool { return s == nil }

func (s *ExceptionResponse) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.int(s.CorrelationID)
	e.throwable(s.Exception)
}

func (s *ExceptionResponse) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.CorrelationID = d.int()
	s.Exception = d.throwable()
}

// DataResponse answers with one structure.
type DataResponse struct {
	BaseCommand
	CorrelationID int32
	Data          DataStructure
}

func (*DataResponse) TypeByte() byte { return TypeDataResponse }

func (s *DataResponse) absent() bool { return s == nil }

func (s *DataResponse) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.int(s.CorrelationID)
	e.nested(s.Data)
}

func (s *DataResponse) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.CorrelationID = d.int()
	s.Data = decodeNested[DataStructure](d)
}

// DataArrayResponse answers with several, the transactions to recover for example.
type DataArrayResponse struct {
	BaseCommand
	CorrelationID int32
	Data          []DataStructure
}

func (*DataArrayResponse) TypeByte() byte { return TypeDataArrayResponse }

func (s *DataArrayResponse) absent() bool { return s == nil }

func (s *DataArrayResponse) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.int(s.CorrelationID)
	encodeArray(e, s.Data)
}

func (s *DataArrayResponse) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.CorrelationID = d.int()
	s.Data = decodeArray[DataStructure](d)
}

// IntegerResponse answers with a number, that of a prepare for example.
type IntegerResponse struct {
	BaseCommand
	CorrelationID int32
	Result        int32
}

func (*IntegerResponse) TypeByte() byte { return TypeIntegerResponse }

func (s *IntegerResponse) absent() bool { return s == nil }

func (s *IntegerResponse) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.int(s.CorrelationID)
	e.int(s.Result)
}

func (s *IntegerResponse) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.CorrelationID = d.int()
	s.Result = d.int()
}

// ConnectionError tells of an error that answers no request.
type ConnectionError struct {
	BaseCommand
	Exception    *Throwable
	ConnectionID *ConnectionID
}

func (*ConnectionError) TypeByte() byte { return TypeConnectionError }

func (s *ConnectionError) absent() bool { return s == nil }

func (s *ConnectionError) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.throwable(s.Exception)
	e.nested(s.ConnectionID)
}

func (s *ConnectionError) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.Exception = d.throwable()
	s.ConnectionID = decodeNested[*ConnectionID](d)
}
