# What `cmake --install` puts where, by component, and the Debian packages made of the components (`cpack`, in the build
# folder of the release preset). Images and packages hold the same: manifests/package_test.py.
#
#   node         the agent, the CNI plugin, netctl        controllers  margay-controllers
#   apiserver    margay-apiserver                         bgpd         margay-bgpd
#   netctl       netctl with its completions and manual pages
include(GNUInstallDirs)

set(margay_units_dir lib/systemd/system)
set(margay_manifests "${PROJECT_SOURCE_DIR}/manifests")

# A program, its unit, and its package's scripts.
function(margay_install_daemon component program)
  install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT ${component})
  install(FILES "${margay_manifests}/systemd/${program}.service" DESTINATION "${margay_units_dir}" COMPONENT ${component})
  set(unit "${program}.service")
  set(scripts "")
  foreach(script postinst prerm)
    configure_file("${margay_manifests}/debian/${script}.in" "${PROJECT_BINARY_DIR}/debian/${component}/${script}" @ONLY
      FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    list(APPEND scripts "${PROJECT_BINARY_DIR}/debian/${component}/${script}")
  endforeach()
  string(TOUPPER "${component}" upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA "${scripts}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME "${program}" PARENT_SCOPE)
endfunction()

margay_install_daemon(node margay-node)
margay_install_daemon(controllers margay-controllers)
margay_install_daemon(apiserver margay-apiserver)
margay_install_daemon(bgpd margay-bgpd)

# lib/cni is where Debian has the plugins of others.
install(TARGETS margay RUNTIME DESTINATION lib/cni COMPONENT node)
install(CODE "file(CREATE_LINK margay \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/cni/margay-ipam\" SYMBOLIC)" COMPONENT node)

# kubectl finds `kubectl netctl` by its name.
install(TARGETS netctl RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT netctl)
foreach(name kubectl-netctl kubectl_complete-netctl)
  install(CODE "file(CREATE_LINK netctl \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/${name}\" SYMBOLIC)" COMPONENT netctl)
endforeach()
function(margay_install_completion shell folder file)
  add_custom_command(OUTPUT "${PROJECT_BINARY_DIR}/completions/${file}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/completions"
    COMMAND netctl completion ${shell} > "${PROJECT_BINARY_DIR}/completions/${file}"
    DEPENDS netctl VERBATIM)
  set_property(GLOBAL APPEND PROPERTY MARGAY_COMPLETIONS "${PROJECT_BINARY_DIR}/completions/${file}")
  install(FILES "${PROJECT_BINARY_DIR}/completions/${file}" DESTINATION "share/${folder}" COMPONENT netctl)
endfunction()
margay_install_completion(bash bash-completion/completions netctl)
margay_install_completion(zsh zsh/vendor-completions _netctl)
margay_install_completion(fish fish/vendor_completions.d netctl.fish)
# Manual pages, from the same table.
set(margay_man "${PROJECT_BINARY_DIR}/man")
add_custom_command(OUTPUT "${margay_man}/netctl.1"
  COMMAND "${CMAKE_COMMAND}" -E rm -rf "${margay_man}"
  COMMAND "${CMAKE_COMMAND}" -E make_directory "${margay_man}"
  COMMAND netctl help --man-pages "${margay_man}"
  DEPENDS netctl VERBATIM)
set_property(GLOBAL APPEND PROPERTY MARGAY_COMPLETIONS "${margay_man}/netctl.1")
foreach(section 1 7)
  install(DIRECTORY "${margay_man}/" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}" COMPONENT netctl
    FILES_MATCHING PATTERN "*.${section}")
endforeach()
get_property(margay_completions GLOBAL PROPERTY MARGAY_COMPLETIONS)
add_custom_target(completions DEPENDS ${margay_completions})
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_dependencies(programs completions)
endif()

install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/" DESTINATION share/doc/margay COMPONENT netctl FILES_MATCHING PATTERN "*.md"
  PATTERN "examples/*.yaml")
install(FILES "${margay_manifests}/base/margay.yaml" DESTINATION share/margay COMPONENT netctl)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL node controllers apiserver bgpd netctl)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_PACKAGE_CONTACT "The Margay authors <margay@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "BGP-routed network with policy for Kubernetes and plain Linux")
set(CPACK_DEBIAN_NETCTL_PACKAGE_NAME netctl)
set(CPACK_DEBIAN_NODE_PACKAGE_DEPENDS iptables)
set(CPACK_DEBIAN_NODE_PACKAGE_RECOMMENDS netctl)
include(CPack)
