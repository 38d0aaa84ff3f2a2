# Builds protoc-gen-rpcrt for this machine, and runs it on every .proto of idl/,
# services/ (records of their own) and tests/. Sets GENH, every generated header,
# and STEMS, the paths of the generated files without their last parts; those of
# IDLSTEMS are interfaces.

PLUGIN    := $(BUILD)/host/protoc-gen-rpcrt
GENEXT    := pb-c rpc client server
OPTIONS   := idl/rpcrt/v1/options.proto
PROTOS    := $(filter-out $(OPTIONS),$(shell find idl -name '*.proto' | sort))
TESTPROTO := $(filter-out tests/golden/%,$(sort $(wildcard tests/*/*.proto)))
RECORDS   := $(sort $(wildcard services/*/*.proto))
IDLSTEMS  := $(PROTOS:idl/%.proto=$(GEN)/%)
# protobuf's own types with a form of their own in JSON, for tests
KNOWN     := any duration empty field_mask struct timestamp wrappers
# gRPC's service for tests of interoperation
GRPCPROTO ?= /usr/share/grpc-proto
INTEROP   := empty messages test
STEMS     := $(IDLSTEMS) $(RECORDS:services/%.proto=$(GEN)/%) $(TESTPROTO:tests/%.proto=$(GEN)/%) \
             $(KNOWN:%=$(GEN)/google/protobuf/%) $(INTEROP:%=$(GEN)/grpc/testing/%)
GENH      := $(foreach s,$(STEMS),$(GENEXT:%=$(s).%.h))
OUTPUTS   := $(foreach e,$(GENEXT),$(GEN)/%.$(e).c $(GEN)/%.$(e).h)
# protoc's own messages, which the plugin reads and writes
DESC      := $(GEN)/google/protobuf/descriptor $(GEN)/google/protobuf/compiler/plugin
DESCH     := $(DESC:=.pb-c.h)

define GENERATE
$(call say,GEN,$<)
$(Q)mkdir -p $(GEN)
$(Q)$(PROTOC) -Iidl -Iservices -Itests -I$(PROTO) -I$(GRPCPROTO) \
    --plugin=protoc-gen-rpcrt=$(PLUGIN) --rpcrt_out=$(GEN) $<
endef
$(OUTPUTS): idl/%.proto $(PROTOS) $(OPTIONS) $(PLUGIN)
	$(GENERATE)
$(OUTPUTS): services/%.proto $(OPTIONS) $(PLUGIN)
	$(GENERATE)
$(OUTPUTS): tests/%.proto $(PROTOS) $(OPTIONS) $(PLUGIN)
	$(GENERATE)
$(OUTPUTS): $(PROTO)/%.proto $(PLUGIN)
	$(GENERATE)
$(OUTPUTS): $(GRPCPROTO)/%.proto $(PLUGIN)
	$(GENERATE)
$(DESC:=.pb-c.c) $(DESCH) &: $(PROTO)/google/protobuf/compiler/plugin.proto
	$(call say,GEN,$<)
	$(Q)mkdir -p $(GEN)
	$(Q)$(PROTOC) -I$(PROTO) --c_out=$(GEN) google/protobuf/descriptor.proto \
	    google/protobuf/compiler/plugin.proto

# What the plugin writes does not depend on the variant: it is built once, with
# flags of its own.
HOST      := $(CODEGEN:$(O)/obj/%=$(BUILD)/host/%) \
             $(DESC:$(GEN)/%=$(BUILD)/host/gen/%.pb-c.o)
$(BUILD)/host/%.o: %.c | $(DESCH)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=c11 -O2 -g $(WARN) -MMD -MP -c -o $@ $<
$(BUILD)/host/gen/%.o: $(GEN)/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -I$(GEN) -std=c11 -O2 -w -c -o $@ $<
$(PLUGIN): $(HOST)
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ -lprotobuf-c

-include $(wildcard $(HOST:.o=.d))
